// Sessions and API keys of users: beginning and ending them, shared by sign-in and by the
// administration of users.
#pragma once

#include "api/call.hpp"
#include "model/api_key.hpp"
#include "model/user.hpp"

#include <string>

namespace mp::api {

inline constexpr std::chrono::hours refresh_life{7 * 24};
inline constexpr std::chrono::seconds access_life{3600};

Session begin_session(Writer& db, const User& user);
// Ends the user's sessions, all but `kept`.
void end_sessions(Writer& db, std::int64_t user_id, const std::string& kept);
// Revokes all API keys of the user.
void end_api_keys(Writer& db, std::int64_t user_id);
// The entry of the change log for a key that was made or revoked.
void log_api_key(Writer& db, const ApiKey& key, Action action);
// The admin changed the password that the first start printed: its file goes.
void forget_initial_password(const Call& call, const User& user);
// Removes sessions whose refresh token has ended; from the background loop.
void forget_ended_sessions(Store& store, const Clock& clock);

}  // namespace mp::api
