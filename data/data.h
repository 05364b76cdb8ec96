// SPDX-License-Identifier: Apache-2.0
#pragma once
// Everything in data/.

#include "linnet/data/dataset.h"
#include "linnet/data/find_folder.h"
#include "linnet/data/idx.h"
#include "linnet/data/loader.h"
#include "linnet/data/mnist.h"
#include "linnet/data/synthetic_digits.h"
