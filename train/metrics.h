// SPDX-License-Identifier: Apache-2.0
#pragma once
// All metrics.

#include "linnet/train/classification_metrics.h"
#include "linnet/train/metric.h"
#include "linnet/train/regression_metrics.h"
