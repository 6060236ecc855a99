# The programs, the whole-process tests and the benchmarks.

# `<program>` from <folder>/main.cpp; the folder's other sources are in the libraries.
function(mp_program program folder)
  file(GLOB main CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/main.cpp)
  if(main)
    add_executable(${program} ${main})
    target_link_libraries(${program} PRIVATE ${ARGN} mp_flags)
  endif()
endfunction()

# A program outside of src/: library `<library>`, program `<program>`, tests `<program>_test` with
# underscores.
function(mp_outer_program program library folder)
  mp_sources(part ${folder})
  mp_library(${library} SOURCES ${part_sources} LIBRARIES ${ARGN})
  if(part_tests)
    string(REPLACE "-" "_" test ${program}_test)
    mp_test(${test} SOURCES ${part_tests} LIBRARIES ${library})
  endif()
  mp_program(${program} ${folder} ${library})
endfunction()

mp_program(marchproxy-manager src/app mp_app)
mp_program(manager-on-clock tests/chaos mp_app)
mp_outer_program(marchproxy-agent mp_agent agent mp_settings CURL::libcurl OpenSSL::SSL)
mp_outer_program(marchproxy-fleet mp_fleet fleet mp_settings mp_rpc envoy_api)
mp_outer_program(marchctl mp_cli cli mp_settings CURL::libcurl)

# An allocator for many threads (decision 0057); sanitizers have one of their own.
if(NOT MARCHPROXY_SANITIZERS)
  foreach(program marchproxy-manager marchproxy-fleet)
    target_link_libraries(${program} PRIVATE PkgConfig::JEMALLOC)
  endforeach()
endif()

mp_program(grpc-client tests/grpc PkgConfig::GRPC)

file(GLOB harness CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/harness/*.cpp)
if(harness)
  mp_test(harness_test SOURCES ${harness} LIBRARIES mp_app)
endif()

# The stream core against simulated clients: see tests/simulation/run.hpp.
file(GLOB simulation CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/simulation/*.cpp)
mp_test(simulation_test SOURCES ${simulation} LIBRARIES mp_xds)

file(GLOB benches CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/*.cpp)
foreach(bench ${benches})
  cmake_path(GET bench STEM name)
  add_executable(${name} ${bench})
  set(layer mp_app)
  if(name STREQUAL admission)  # these need no more, and build quickly
    set(layer mp_access)
  elseif(name STREQUAL loopback)
    set(layer "")
  endif()
  target_link_libraries(${name} PRIVATE ${layer} mp_flags benchmark::benchmark_main)
endforeach()
