// Checks a message against the rules that Envoy's API definitions carry (protoc-gen-validate), in
// every message inside it, `Any`s too. Envoy refuses a whole response when a top-level message
// breaks one. Used by facts. Says where a rule is broken, never with what value.
#pragma once

#include <google/protobuf/message.h>

#include <functional>
#include <string>
#include <vector>

namespace mp::xds {

struct RuleCheck {
  std::vector<std::string> breaches;
  // Called for the message and every message inside it.
  std::function<void(const google::protobuf::Message&)> visit;
};

// Covers required fields and oneofs, lengths, numbers, durations, enumerations and counts; patterns
// and well-known formats are left to the code that fills them.
void check_rules(const google::protobuf::Message& message, RuleCheck& check);

}  // namespace mp::xds
