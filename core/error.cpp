// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/error.h"

#include <cstdio>
#include <cstdlib>

#include "linnet/core/dtype.h"
#include "linnet/core/shape.h"

namespace linnet {

Piece::Piece(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.6g", value);
  text_ = buffer;
}
Piece::Piece(const Shape& shape) : text_(shape.str()) {}
Piece::Piece(DType dtype) : text_(name(dtype)) {}

std::string concat(std::initializer_list<Piece> pieces) {
  std::string all;
  for (const Piece& piece : pieces) all += piece.text();
  return all;
}

void Error::set_module(const std::string& module) {
  if (has_module_) return;
  has_module_ = true;
  text_ += "  in " + module;
}

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "linnet: internal error: %s is false at %s:%d. Please report this.\n", expression,
               file, line);
  std::abort();
}

}  // namespace linnet
