// A server with a stage behind it and a client of ours before it, for tests over loopback.
#pragma once

#include "rpc/client.hpp"
#include "rpc/server.hpp"
#include "rpc/session_fixture.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace mp::rpc {

struct ServerTest : testing::Test {
  void start(ServerOptions options = {}) {
    options.listen = "127.0.0.1:0";
    options.threads = 2;
    server.emplace(std::move(options), stage.function());
    server->start();
  }
  Client& connect(std::optional<net::ClientTls> tls = std::nullopt) {
    client.emplace(ClientOptions{.address = "127.0.0.1:" + std::to_string(server->port()),
                                 .tls = std::move(tls),
                                 .threads = 2});
    return *client;
  }
  std::shared_ptr<Ear> begin(std::size_t connection = 0, const std::string& method = "/echo") {
    auto ear = std::make_shared<Ear>();
    auto call = std::make_shared<std::shared_ptr<Call>>();
    ear->answer = [weak = std::weak_ptr(ear)](std::string_view) {
      const auto there = weak.lock();
      if (there && there->call) there->call->read();
    };
    const auto begun = client->call(connection, method, {}, ear);
    ear->call = begun;
    begun->read();
    return ear;
  }

  Stage stage;
  std::optional<Server> server;
  std::optional<Client> client;
};

}  // namespace mp::rpc
