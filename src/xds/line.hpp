// One call of the discovery port as the Line of who speaks on it. Used by server.cpp.
#pragma once

#include "rpc/call.hpp"
#include "xds/session.hpp"

#include <memory>

namespace mp::xds {

class CallLine final : public Line, public rpc::Receiver {
 public:
  explicit CallLine(std::shared_ptr<rpc::Call> call) : call_(std::move(call)) {}

  // Before anything comes. Nobody: the server stops.
  void begin(std::shared_ptr<Caller> caller);

  // Line
  std::size_t write(std::vector<Message> messages) override;
  void read() override { call_->read(); }
  void finish(int grpc_status, const std::string& message) override {
    call_->finish({grpc_status, message});
  }
  void abort() override { call_->abort(); }

  // rpc::Receiver
  void on_message(std::string_view bytes) override;
  void on_drained() override;
  void on_end(const rpc::Status& status) override;

 private:
  const std::shared_ptr<rpc::Call> call_;
  std::shared_ptr<Caller> caller_;
};

}  // namespace mp::xds
