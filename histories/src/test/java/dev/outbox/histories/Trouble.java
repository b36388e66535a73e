package dev.outbox.histories;

import java.time.Duration;

/**
 * A fault, from when to when, and whom it concerned.
 *
 * @param scope {@code all}, the name of a relay, or a partition as {@code topic/number}
 * @param grace how long behind its end it may still be felt, where the product promises no better
 */
record Trouble(String name, String scope, long begin, long end, Duration grace) {
    static final String ALL = "all";

    /** Until when this partition had an excuse. A relay may have held any partition. */
    long excuses(String place) {
        boolean concerns = !scope.contains("/") || scope.equals(place);
        return concerns ? end + grace.toNanos() : Long.MIN_VALUE;
    }

    /** Whether it can be why what a relay published between these times was published again. */
    boolean explains(String relay, long from, long to) {
        return (scope.equals(ALL) || scope.equals(relay)) && begin <= to && end >= from;
    }

    @Override
    public String toString() {
        return name + " of " + scope;
    }
}
