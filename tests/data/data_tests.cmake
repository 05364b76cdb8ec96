# SPDX-License-Identifier: Apache-2.0
# The tests make compressed files themselves where the library can read them.
if(ZLIB_FOUND AND TARGET test_data)
  target_link_libraries(test_data PRIVATE ZLIB::ZLIB)
  target_compile_definitions(test_data PRIVATE LINNET_ZLIB)
endif()
