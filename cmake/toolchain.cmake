# Compiler cache, linker, and the flags that our own code is compiled with (target `mp_flags`).

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # With these two a clone in another folder finds what this one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
                                  ${CCACHE_PROGRAM})
endif()

find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()
add_link_options(-Wl,--as-needed)

find_package(Threads REQUIRED)

add_library(mp_flags INTERFACE)
target_include_directories(mp_flags INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
target_link_libraries(mp_flags INTERFACE Threads::Threads)
target_compile_options(
  mp_flags
  INTERFACE -Wall
            -Wextra
            -Werror
            # Designated initialisers leave members out on purpose.
            -Wno-missing-field-initializers
            # gcc 12 reports std::string's own operator+ (its bug 105651).
            -Wno-restrict)

set(MARCHPROXY_SANITIZERS "" CACHE STRING "Sanitizers to build with, as -fsanitize= takes them")
if(MARCHPROXY_SANITIZERS)
  target_compile_options(
    mp_flags
    INTERFACE -fsanitize=${MARCHPROXY_SANITIZERS}
              -fno-sanitize-recover=all
              # SOCI hides the type information of classes that its templates use.
              -fno-sanitize=vptr
              # With these gcc takes no comparison of function pointers for constant, which the field
              # tables need; a null pointer that is used ends the program all the same.
              -fno-sanitize=null,nonnull-attribute,returns-nonnull-attribute
              -fno-omit-frame-pointer
              # The instrumented code confuses these two analyses of gcc 12.
              -Wno-maybe-uninitialized
              -Wno-stringop-overflow)
  target_link_options(mp_flags INTERFACE -fsanitize=${MARCHPROXY_SANITIZERS})
endif()
if(MARCHPROXY_SANITIZERS MATCHES "thread")
  # gcc cannot instrument std::atomic_thread_fence, which Asio uses; it says so with -Wtsan.
  # protobuf 3.21 adds a member to messages under it, which the compiled libraries do not have.
  target_compile_options(mp_flags INTERFACE -Wno-tsan -U__SANITIZE_THREAD__)
endif()
