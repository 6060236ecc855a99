// A whole simulated fleet: opens the streams, waits until all are ready, watches changes, and lets
// all reconnect at the end. Used by main.cpp.
#pragma once

#include "fleet/options.hpp"
#include "fleet/report.hpp"

#include <atomic>
#include <functional>

namespace mp::fleet {

class Fleet {
 public:
  // `stopped` says whether the program was told to end.
  Fleet(const Options& options, Report& report, std::function<bool()> stopped);
  ~Fleet();  // ends all streams
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // The exit code: 0 when all became ready and stayed, 1 when not.
  int run();

 private:
  bool start();
  void watch();
  void reconnect();
  void connect_all();
  bool tell_lost();
  bool end_all();
  bool wait(std::chrono::milliseconds limit, const std::function<bool()>& done);

  const Options& options_;
  Report& report_;
  std::function<bool()> stopped_;
  Board board_;
  std::vector<Line> lines_;
  rpc::Client client_;  // ends before the lines
};

}  // namespace mp::fleet
