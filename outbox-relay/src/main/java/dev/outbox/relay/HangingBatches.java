package dev.outbox.relay;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Bounds how many batches the relay's own threads keep open for publishers that hang, because each has a connection or
 * a lease of the store. Safe for use by several threads, and needs no memory.
 *
 * <p>A topic needs room for each batch that waits for it. While its messages are asked for, it needs room for one more,
 * because its publisher may hang then. The first room is its own. The others share {@value #MORE}, and a topic that is
 * left out is not tried again without one. So whatever hangs, there is room for a worker that takes the place of one
 * that hangs, and one worker at least is left to the other topics.
 */
final class HangingBatches {
    static final int MORE = 8;

    // Guarded by this.
    private Route<?>[] routes = {};

    synchronized void register(Route<?> route) {
        Route<?>[] more = Arrays.copyOf(routes, routes.length + 1);
        more[routes.length] = route;
        routes = more;
    }

    /** One more batch waits for the topic, or may soon; false if there is no room for it. */
    synchronized boolean add(Route<?> route) {
        route.waiting++;
        if (shared(route) == 0 || shared() <= MORE) {
            return true;
        }
        route.waiting--;
        return false;
    }

    synchronized void remove(@Nullable Route<?> route) {
        if (route != null) {
            route.waiting--;
        }
    }

    private int shared() {
        int sum = 0;
        for (Route<?> route : routes) {
            sum += shared(route);
        }
        return sum;
    }

    /** How many rooms it needs in addition to its own. */
    private static int shared(Route<?> route) {
        return Math.max(0, route.waiting + (route.isOut() ? 0 : 1) - 1);
    }
}
