// marchctl: talks to a MarchProxy manager. Exit codes are in cli/failure.hpp.
#include "cli/program.hpp"

#include <curl/curl.h>
#include <sodium.h>

#include <csignal>
#include <cstdio>

int main(int count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  if (::sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    std::fputs("marchctl: its libraries cannot start\n", stderr);
    return 1;
  }
  const auto exit = mp::cli::run(count, arguments);
  curl_global_cleanup();
  return static_cast<int>(exit);
}
