# SPDX-License-Identifier: Apache-2.0
# Links the whole archive into a stripped shared library and looks at its size.
execute_process(COMMAND ${C_COMPILER} -shared -s -nostartfiles -Wl,--whole-archive ${ARCHIVE} -Wl,--no-whole-archive -o ${OUT}
  RESULT_VARIABLE result ERROR_VARIABLE output)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${output}")
endif()
file(SIZE ${OUT} bytes)
message(STATUS "stripped shared library: ${bytes} bytes")
if(bytes GREATER 300000)
  message(FATAL_ERROR "the stripped shared library has ${bytes} bytes, more than 300,000")
endif()
