// SPDX-License-Identifier: Apache-2.0
#pragma once
// Everything of nn: modules, layers, initialisers and losses with options.

#include "linnet/nn/activation.h"
#include "linnet/nn/blocks.h"
#include "linnet/nn/conv1d.h"
#include "linnet/nn/conv2d.h"
#include "linnet/nn/conv_transpose2d.h"
#include "linnet/nn/dense.h"
#include "linnet/nn/depthwise_conv2d.h"
#include "linnet/nn/dropout.h"
#include "linnet/nn/embedding.h"
#include "linnet/nn/flatten.h"
#include "linnet/nn/global_pool.h"
#include "linnet/nn/init.h"
#include "linnet/nn/loss.h"
#include "linnet/nn/module.h"
#include "linnet/nn/norm.h"
#include "linnet/nn/padding.h"
#include "linnet/nn/pool.h"
#include "linnet/nn/pool1d.h"
#include "linnet/nn/sequential.h"
#include "linnet/nn/upsample.h"
