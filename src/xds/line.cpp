#include "xds/line.hpp"

#include <utility>

namespace mp::xds {
namespace {

// A chunk is one piece: what it refers to is kept with its owner.
rpc::Message to_pieces(Message message) {
  rpc::Message pieces;
  pieces.reserve(message.size());
  for (Chunk& chunk : message) {
    auto& piece = pieces.emplace_back(rpc::Piece{.own = std::move(chunk.bytes), .shared = nullptr});
    if (chunk.resource) {
      const std::string* body = &chunk.resource->body;
      piece.shared = std::shared_ptr<const std::string>(std::move(chunk.resource), body);
    } else {
      piece.shared = std::move(chunk.parcel);
    }
  }
  return pieces;
}

}  // namespace

void CallLine::begin(std::shared_ptr<Caller> caller) {
  caller_ = std::move(caller);
  if (caller_)
    read();
  else
    finish(rpc::code::unavailable, "the server stops");
}

std::size_t CallLine::write(std::vector<Message> messages) {
  std::vector<rpc::Message> list;
  list.reserve(messages.size());
  for (Message& message : messages) list.push_back(to_pieces(std::move(message)));
  return call_->write(std::move(list));
}

void CallLine::on_message(std::string_view bytes) { caller_->on_message(bytes); }

void CallLine::on_drained() {
  if (caller_) caller_->on_drained();
}

void CallLine::on_end(const rpc::Status&) {
  if (caller_) caller_->on_gone();
}

}  // namespace mp::xds
