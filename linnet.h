// SPDX-License-Identifier: Apache-2.0
#pragma once
// Linnet: train and run neural networks on the edge board itself. This one include gives everything that
// trains; a folder's own headers ("linnet/nn/module.h") may be included alone. Not in it, because not every
// program wants them: "linnet/core/xtensor.h" and the inference library, "linnet/runtime/linnet_runtime.h".

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/gradcheck.h"
#include "linnet/autograd/ops.h"
#include "linnet/autograd/record.h"
#include "linnet/compress/observe.h"
#include "linnet/core/error.h"
#include "linnet/core/isa.h"
#include "linnet/core/parallel.h"
#include "linnet/core/profile.h"
#include "linnet/core/random.h"
#include "linnet/core/state.h"
#include "linnet/core/storage.h"
#include "linnet/core/tensor.h"
#include "linnet/data/data.h"
#include "linnet/deploy/deploy.h"
#include "linnet/graph/graph.h"
#include "linnet/graph/graph_module.h"
#include "linnet/graph/new_head.h"
#include "linnet/graph/summary.h"
#include "linnet/graph/trace.h"
#include "linnet/io/checkpoint.h"
#include "linnet/io/io.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/optim.h"
#include "linnet/train/metrics.h"
#include "linnet/train/trainer.h"
#include "linnet/version.h"
