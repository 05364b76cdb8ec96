// SPDX-License-Identifier: Apache-2.0
#pragma once
// Everything of optim: optimizers, schedules and gradient clipping. They are given named tensors, not
// modules.

#include "linnet/optim/adam.h"
#include "linnet/optim/clip.h"
#include "linnet/optim/optimizer.h"
#include "linnet/optim/schedule.h"
#include "linnet/optim/sgd.h"
