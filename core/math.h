// SPDX-License-Identifier: Apache-2.0
#pragma once
// Elementary functions built from + - * / and sqrt only, so that they give the same bits on every machine
// and compiler. For initialisation, augmentation and schedules; kernels have their own vector forms.

namespace linnet::math {

double exp(double x);   ///< relative error below 1e-15 for |x| < 700; 0 and infinity beyond
double log(double x);   ///< x > 0; relative error below 1e-15
double sin_turn(double turns);  ///< sin(2 pi turns); absolute error below 1e-15
double cos_turn(double turns);
double pow(double base, double exponent);  ///< base > 0

}  // namespace linnet::math
