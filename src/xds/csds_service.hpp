// CSDS over gRPC: both methods as reactions to one call after the other. Used by server.cpp. At
// most 16 calls at a time; each does one thing at a time and holds one client's answer.
#pragma once

#include "xds/switchboard.hpp"

#include <grpcpp/generic/async_generic_service.h>

#include <mutex>
#include <set>

namespace mp::xds {

class StatusService {
 public:
  explicit StatusService(Switchboard& board) : board_(board) {}

  // The reactor of a call of CSDS, or nullptr when the method is none of its.
  grpc::ServerGenericBidiReactor* react(grpc::GenericCallbackServerContext& context);

  void stop();  // ends the calls

  // For the calls. False when there are too many, or the server stops.
  bool enter(grpc::GenericCallbackServerContext& context);
  void leave(grpc::GenericCallbackServerContext& context);
  Switchboard& board() { return board_; }

 private:
  Switchboard& board_;
  std::mutex mutex_;
  std::set<grpc::GenericCallbackServerContext*> calls_;
  bool stopped_ = false;
};

}  // namespace mp::xds
