# One static library `mp_<layer>` and one test program `mp_<layer>_test` per folder of src/.
# The list below is the may-use order; tests/repo/test_layers.py holds #include lines to it.

# A GoogleTest program of the given sources, run by ctest from the project's root.
function(mp_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} mp_flags GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name} --gtest_output=xml:${CMAKE_BINARY_DIR}/reports/${name}.xml
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(
    ${name}
    PROPERTIES
      TIMEOUT 600
      ENVIRONMENT
      "MARCHPROXY_TEST_BIN=${CMAKE_BINARY_DIR}/bin;MARCHPROXY_TEST_ENVOY=${CMAKE_SOURCE_DIR}/build/third_party/envoy"
  )
endfunction()

# A static library of the given sources, or an interface while there are none.
function(mp_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  if(ARG_SOURCES)
    add_library(${name} STATIC ${ARG_SOURCES})
    target_link_libraries(${name} PUBLIC ${ARG_LIBRARIES} PRIVATE mp_flags)
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARG_LIBRARIES})
  endif()
endfunction()

# The sources of one folder, in `<prefix>_sources` and `<prefix>_tests`.
function(mp_sources prefix folder)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  set(${prefix}_sources ${sources} PARENT_SCOPE)
  set(${prefix}_tests ${tests} PARENT_SCOPE)
endfunction()

function(mp_layer layer)
  mp_sources(layer src/${layer})
  mp_library(mp_${layer} SOURCES ${layer_sources} LIBRARIES ${ARGN})
  if(layer_tests)
    mp_test(mp_${layer}_test SOURCES ${layer_tests} LIBRARIES mp_${layer})
  endif()
endfunction()

mp_layer(base Boost::headers Boost::json Boost::url spdlog::spdlog prometheus-cpp::core
         PkgConfig::SODIUM OpenSSL::Crypto CURL::libcurl)
mp_layer(model mp_base)
mp_layer(settings mp_model CLI11::CLI11 PkgConfig::YAML_CPP)
mp_layer(store mp_settings mp_migrations soci PkgConfig::SODIUM)
mp_layer(access mp_store PkgConfig::ARGON2 PkgConfig::SODIUM PkgConfig::RHONABWY PkgConfig::OATH PkgConfig::QRENCODE
         PkgConfig::PNG OpenSSL::Crypto)
mp_layer(crypto mp_store OpenSSL::Crypto)
mp_layer(syslog mp_base OpenSSL::SSL)
mp_layer(net mp_base OpenSSL::SSL)
mp_layer(rpc mp_net PkgConfig::NGHTTP2)
mp_layer(xds mp_store mp_syslog mp_rpc envoy_api OpenSSL::SSL)
mp_layer(http mp_net)
mp_layer(api mp_access mp_crypto mp_xds mp_http mp_web_assets)
mp_layer(app mp_api)

# Its tests are a real gRPC client.
target_link_libraries(mp_xds_test PRIVATE PkgConfig::GRPC)
