# Target `envoy_api`: the compiled Envoy API (third_party/envoy_api), one build for all presets.
# Linked whole, because the types inside an `Any` are only found when they are in the program.

set(folder ${CMAKE_SOURCE_DIR}/build/envoy-api)
file(MAKE_DIRECTORY ${folder}/gen)
add_custom_command(
  OUTPUT ${folder}/libenvoy_api.a
  COMMAND ${CMAKE_SOURCE_DIR}/scripts/envoy-api
  DEPENDS ${CMAKE_SOURCE_DIR}/scripts/envoy-api
          ${CMAKE_SOURCE_DIR}/third_party/envoy_api/CMakeLists.txt
          ${CMAKE_SOURCE_DIR}/third_party/envoy_api/generate.py
          ${CMAKE_SOURCE_DIR}/third_party/envoy_api/roots.txt
  COMMENT "Compiling the Envoy API (once, minutes)"
  USES_TERMINAL)
add_custom_target(envoy_api_build DEPENDS ${folder}/libenvoy_api.a)

add_library(envoy_api_archive STATIC IMPORTED)
set_target_properties(envoy_api_archive PROPERTIES IMPORTED_LOCATION ${folder}/libenvoy_api.a)
add_dependencies(envoy_api_archive envoy_api_build)

add_library(envoy_api INTERFACE)
target_include_directories(envoy_api SYSTEM INTERFACE ${folder}/gen)
target_link_libraries(envoy_api INTERFACE $<LINK_LIBRARY:WHOLE_ARCHIVE,envoy_api_archive>
                                          PkgConfig::PROTOBUF)
add_dependencies(envoy_api envoy_api_build)
