// The management API as one http::Handler: finds the endpoint, asks who calls, runs the handler on
// a worker (a quick one at once), writes the envelope, waits for proxies when `Prefer: wait` asks
// for it. The order of refusals is the contract's. Stop the HTTP server before it goes.
#pragma once

#include "api/context.hpp"
#include "api/endpoint.hpp"
#include "api/router.hpp"
#include "base/workers.hpp"
#include "http/message.hpp"

#include <memory>

namespace mp::api {

// All endpoints of the product, in the order of the reference.
const Endpoints& all_endpoints();

class Api final : public http::Handler {
 public:
  Api(Context& context, Workers& workers);
  ~Api() override;

  void handle(http::Request request, http::Answer answer) override;

 private:
  struct Inside;
  struct Job;
  struct Settling;
  bool is_quick(const Route& route) const;
  void respond(const std::shared_ptr<Job>& job);
  void run(const http::Request& request, Call& call, const Route& route,
           const http::Answer& answer);
  Reply reply_of(const Endpoint& endpoint, Call& call);
  void finish(Call& call, const Route& route, Reply reply, const http::Answer& answer);
  void wait_for_proxies(const std::shared_ptr<Settling>& settling, const http::Answer& answer);
  void renew_status(Settling& settling) const;
  http::Response settled(Settling& settling, xds::State state) const;

  Context& context_;
  Workers& workers_;
  Router router_;
  const bool reads_at_hand_;  // the database is a file: reading never waits for another machine
  std::unique_ptr<Inside> inside_;
};

}  // namespace mp::api
