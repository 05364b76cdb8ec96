// SPDX-License-Identifier: Apache-2.0
#pragma once
// Everything in data/.

#include "linnet/data/cifar10.h"
#include "linnet/data/classes.h"
#include "linnet/data/cmapss.h"
#include "linnet/data/dataset.h"
#include "linnet/data/find_folder.h"
#include "linnet/data/idx.h"
#include "linnet/data/loader.h"
#include "linnet/data/mnist.h"
#include "linnet/data/split.h"
#include "linnet/data/standardiser.h"
#include "linnet/data/synthetic_digits.h"
#include "linnet/data/table.h"
#include "linnet/data/transform.h"
#include "linnet/data/uci_har.h"
#include "linnet/data/windows.h"
