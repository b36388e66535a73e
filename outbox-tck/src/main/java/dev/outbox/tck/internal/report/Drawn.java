package dev.outbox.tck.internal.report;

import java.time.Duration;

/**
 * What a run draws by lot.
 *
 * @param seed from which all of it follows
 * @param time for which random sequences are run
 * @param steps the most steps of such sequences
 */
public record Drawn(long seed, Duration time, long steps) {}
