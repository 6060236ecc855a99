// CSDS over gRPC: both methods as reactions to one call after the other. Used by server.cpp. At
// most 16 calls that have asked something at a time; each does one thing at a time and holds one
// client's answer.
#pragma once

#include "rpc/call.hpp"
#include "xds/switchboard.hpp"

#include <memory>
#include <mutex>
#include <set>

namespace mp::xds {

class StatusService {
 public:
  explicit StatusService(Switchboard& board) : board_(board) {}

  // Who answers a call of CSDS, or nullptr when the method is none of its.
  std::shared_ptr<rpc::Receiver> accept(const std::shared_ptr<rpc::Call>& call);

  void stop();  // ends the calls

  // For the calls. False when the server stops, or all seats are taken.
  bool enter(const std::shared_ptr<rpc::Call>& call);
  bool take_seat();
  void leave_seat();
  void leave(const std::shared_ptr<rpc::Call>& call);
  Switchboard& board() { return board_; }

 private:
  Switchboard& board_;
  std::mutex mutex_;
  std::set<std::shared_ptr<rpc::Call>> calls_;
  std::size_t seats_taken_ = 0;
  bool stopped_ = false;
};

}  // namespace mp::xds
