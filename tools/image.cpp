// SPDX-License-Identifier: Apache-2.0
#include "image.h"

#include "commands.h"
#include "linnet/core/error.h"

#ifdef LINNET_PNG
#include <png.h>
#endif

namespace linnet::tools {

#ifdef LINNET_PNG

Tensor read_png(const std::string& path, std::int64_t channels) {
  constexpr png_uint_32 kLargest = 4096;
  check<ValueError>(channels == 1 || channels == 3, "png: a model with ", channels,
                    " channels cannot take an image.");
  check_input(path);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  bool begun = png_image_begin_read_from_file(&image, path.c_str()) != 0;
  check<IoError>(begun, path, ": not a readable PNG: ", static_cast<const char*>(image.message), ".");
  image.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  if (image.width > kLargest || image.height > kLargest) {
    png_image_free(&image);
    fail<IoError>(path, ": the image is ", image.width, " x ", image.height, ", the limit is ", kLargest,
                  " x ", kLargest, ".");
  }
  Tensor pixels = Tensor::empty({image.height, image.width, channels}, u8);
  bool read =
      png_image_finish_read(&image, nullptr, pixels.mutable_data<std::uint8_t>().data(), 0, nullptr) != 0;
  png_image_free(&image);
  check<IoError>(read, path, ": the PNG is damaged: ", static_cast<const char*>(image.message), ".");
  return pixels;
}

#else

Tensor read_png(const std::string& path, std::int64_t) {
  fail<IoError>(path, ": this program was built without libpng. Convert the image to .npy.");
}

#endif

}  // namespace linnet::tools
