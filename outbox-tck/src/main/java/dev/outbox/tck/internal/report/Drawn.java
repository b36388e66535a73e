package dev.outbox.tck.internal.report;

import java.time.Duration;

/**
 * What a run draws by lot, and of what it takes all.
 *
 * @param seed from which all of it follows
 * @param time for which random sequences are run
 * @param steps the most steps of such sequences
 * @param everyNumber whether sweeps take every number, and not only those near which something may change
 */
public record Drawn(long seed, Duration time, long steps, boolean everyNumber) {}
