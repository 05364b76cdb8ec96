// SPDX-License-Identifier: Apache-2.0
#pragma once
// Everything in io/.

#include "linnet/io/atomic_file.h"
#include "linnet/io/checkpoint.h"
#include "linnet/io/npy.h"
#include "linnet/io/sha256.h"
