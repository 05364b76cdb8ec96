# SPDX-License-Identifier: Apache-2.0
# The umbrella target linnet::linnet and what `cmake --install` copies: the libraries, their public headers
# and the files of find_package(linnet).

include(CMakePackageConfigHelpers)

set(libraries)
if(NOT LINNET_RUNTIME_ONLY)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/version.h.in ${LINNET_INCLUDE}/linnet/version.h @ONLY)
  add_library(linnet_everything INTERFACE)
  add_library(linnet::linnet ALIAS linnet_everything)
  set_target_properties(linnet_everything PROPERTIES EXPORT_NAME linnet)
  target_sources(linnet_everything INTERFACE FILE_SET HEADERS BASE_DIRS ${LINNET_INCLUDE}
    FILES ${LINNET_INCLUDE}/linnet/linnet.h ${LINNET_INCLUDE}/linnet/version.h)
endif()
foreach(folder ${LINNET_FOLDERS})
  if(TARGET linnet_${folder})
    list(APPEND libraries linnet_${folder})
  endif()
endforeach()
if(NOT LINNET_RUNTIME_ONLY)
  target_link_libraries(linnet_everything INTERFACE ${libraries})
  list(APPEND libraries linnet_everything)
endif()

set(destination ${CMAKE_INSTALL_LIBDIR}/cmake/linnet)
install(TARGETS ${libraries} EXPORT linnet-targets COMPONENT development
  ARCHIVE COMPONENT development FILE_SET HEADERS COMPONENT development)
install(EXPORT linnet-targets NAMESPACE linnet:: DESTINATION ${destination} COMPONENT development)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/linnet-config.cmake.in
  ${CMAKE_BINARY_DIR}/linnet-config.cmake INSTALL_DESTINATION ${destination})
# Until 1.0 a minor version may change the interface.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/linnet-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/linnet-config.cmake ${CMAKE_BINARY_DIR}/linnet-config-version.cmake
  DESTINATION ${destination} COMPONENT development)
