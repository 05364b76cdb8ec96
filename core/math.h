// SPDX-License-Identifier: Apache-2.0
#pragma once
// Elementary functions built from + - * / and sqrt only, so that they give the same bits on every machine
// and compiler. For initialisation, augmentation and schedules; kernels have their own vector forms.

namespace linnet::math {

double exp(double x);           ///< relative error below 1e-15 while the result is a normal number
double log(double x);           ///< relative error below 1e-15; -infinity at 0, NaN below
double sin_turn(double turns);  ///< sin(2 pi turns); absolute error below 1e-15, exact at multiples of 1/4
double cos_turn(double turns);  ///< cos(2 pi turns), likewise
/// base >= 0, NaN below; relative error below 1e-15 (1 + |exponent log base|).
double pow(double base, double exponent);

}  // namespace linnet::math
