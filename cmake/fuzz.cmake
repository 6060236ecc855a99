# The fuzz targets (tests/fuzz): one program each, driven by libFuzzer. gcc has no inline counters,
# so the sources a target is about are compiled once more with calls to tests/fuzz/coverage.cpp;
# being objects they come before the same code in the libraries. Only in sanitized builds: without
# them a fuzzer sees little.

find_library(FUZZER Fuzzer PATHS /usr/lib/llvm-19/lib)

# mp_fuzz(<name> LIBRARY <layer> GUIDED <sources of src/> [BESIDE <sources of tests/harness/>])
function(mp_fuzz name)
  cmake_parse_arguments(ARG "" "LIBRARY" "GUIDED;BESIDE" ${ARGN})
  list(TRANSFORM ARG_GUIDED PREPEND ${CMAKE_SOURCE_DIR}/src/)
  list(TRANSFORM ARG_BESIDE PREPEND ${CMAKE_SOURCE_DIR}/tests/harness/)
  add_library(fuzz_${name}_guided OBJECT ${ARG_GUIDED} tests/fuzz/${name}.cpp)
  target_compile_options(fuzz_${name}_guided PRIVATE -fsanitize-coverage=trace-pc,trace-cmp)
  target_link_libraries(fuzz_${name}_guided PRIVATE ${ARG_LIBRARY} mp_flags)
  add_executable(fuzz_${name} tests/fuzz/coverage.cpp ${ARG_BESIDE} $<TARGET_OBJECTS:fuzz_${name}_guided>)
  target_link_libraries(fuzz_${name} PRIVATE ${ARG_LIBRARY} mp_flags ${FUZZER})
  # libFuzzer has a __sanitizer_cov_trace_pc of its own, which only says that it is not supported.
  target_link_options(fuzz_${name} PRIVATE -Wl,--allow-multiple-definition)
endfunction()

if(MARCHPROXY_SANITIZERS MATCHES "address" AND FUZZER)
  mp_fuzz(http LIBRARY mp_http GUIDED http/parser.cpp)
  mp_fuzz(multipart LIBRARY mp_api GUIDED api/multipart.cpp)
  mp_fuzz(body LIBRARY mp_api
          GUIDED api/body.cpp model/shape.cpp model/field.cpp model/format.cpp model/json_text.cpp
                 model/mapping.cpp model/service.cpp)
  mp_fuzz(text LIBRARY mp_access
          GUIDED model/format.cpp model/network.cpp model/quota.cpp base/time.cpp access/client.cpp)
  mp_fuzz(token LIBRARY mp_access GUIDED access/token.cpp access/keys.cpp access/credential.cpp)
  mp_fuzz(certificate LIBRARY mp_crypto
          GUIDED crypto/upload.cpp crypto/pem.cpp crypto/subject.cpp crypto/server_names.cpp
                 crypto/strength.cpp)
  mp_fuzz(license LIBRARY mp_access GUIDED access/license_answer.cpp)
  mp_fuzz(acme LIBRARY mp_crypto GUIDED crypto/acme.cpp)
  mp_fuzz(discovery LIBRARY mp_xds
          GUIDED xds/wire.cpp xds/stream.cpp xds/lane.cpp xds/delta.cpp xds/sotw.cpp
                 xds/subscription.cpp xds/name_set.cpp xds/batch.cpp xds/quarantine.cpp)
  mp_fuzz(rpc LIBRARY mp_rpc
          GUIDED rpc/session.cpp rpc/inbound.cpp rpc/callbacks.cpp rpc/call.cpp rpc/assembly.cpp
                 rpc/message.cpp rpc/gather.cpp)
  mp_fuzz(settings LIBRARY mp_settings GUIDED settings/file.cpp settings/option.cpp)
  mp_fuzz(request LIBRARY mp_app
          GUIDED http/parser.cpp api/router.cpp api/body.cpp api/call.cpp api/endpoint.cpp api/selection.cpp
                 api/etag.cpp api/idempotency.cpp api/upload.cpp api/multipart.cpp model/field.cpp
                 model/shape.cpp model/format.cpp
          BESIDE stage.cpp judge.cpp schema_check.cpp license_server.cpp)
  target_link_libraries(fuzz_request PRIVATE GTest::gtest)
  target_link_libraries(fuzz_request_guided PRIVATE GTest::gtest)
  target_include_directories(fuzz_request_guided PRIVATE ${CMAKE_SOURCE_DIR}/tests/harness)
endif()
