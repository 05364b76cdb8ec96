// SPDX-License-Identifier: Apache-2.0
#pragma once
// Everything of optim: optimizers, schedules, averages and gradient clipping. They are given named tensors,
// not modules.

#include "linnet/optim/adagrad.h"
#include "linnet/optim/adam.h"
#include "linnet/optim/clip.h"
#include "linnet/optim/ema.h"
#include "linnet/optim/lion.h"
#include "linnet/optim/make_optimizer.h"
#include "linnet/optim/nadam.h"
#include "linnet/optim/optimizer.h"
#include "linnet/optim/parameter_group.h"
#include "linnet/optim/rmsprop.h"
#include "linnet/optim/schedule.h"
#include "linnet/optim/sgd.h"
