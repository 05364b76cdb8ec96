// SPDX-License-Identifier: Apache-2.0
// Linnet: train and run neural networks on the edge board itself. This one include gives everything a program
// needs; a folder's own headers ("linnet/nn/module.h") may be included alone.
#pragma once

