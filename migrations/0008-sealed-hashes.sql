-- Hashes of bodies are sealed from here on: answers that were kept with others are forgotten.

DELETE FROM idempotency;
