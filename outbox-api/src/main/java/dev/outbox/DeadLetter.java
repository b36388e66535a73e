package dev.outbox;

import java.time.Instant;

/**
 * A message that was given up.
 *
 * @param message the message; its attempts count every try, the last included
 * @param reason why the last try failed
 * @param diedAt when it was given up, by the store's clock
 */
public record DeadLetter(PersistedMessage message, String reason, Instant diedAt) {}
