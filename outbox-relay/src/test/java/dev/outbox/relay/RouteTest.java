package dev.outbox.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Codecs;
import dev.outbox.Topic;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RouteTest {
    private static final Topic<String> TOPIC = Topic.builder("t", Codecs.text()).build();
    private static final WorkerRun RUN = new WorkerRun(new WakeSignal(new Time(1)), WorkerRun.Kind.PROBE);

    private final Route<String> route = new Route<>(TOPIC, new Time(1), Interceptors.NONE);

    private static void between(double least, Duration pause, double most) {
        double seconds = pause.toMillis() / 1000.0;
        assertTrue(seconds >= least && seconds <= most, pause::toString);
    }

    @Test
    void pausesGrowToAMinuteAndAreVaried() {
        Set<Duration> first = new HashSet<>();
        for (int i = 0; i < 20; i++) {
            Duration pause = new Route<>(TOPIC, new Time(1), Interceptors.NONE).leaveOut("away", System.nanoTime());
            assertNotNull(pause);
            between(0.8, pause, 1);
            first.add(pause);
        }
        assertTrue(first.size() > 1);
        route.leaveOut("away", System.nanoTime());
        assertNull(route.leaveOut("still away", System.nanoTime()), "it is said once");
        double least = 1.6;
        for (int i = 0; i < 10; i++) {
            Instant before = Instant.now();
            route.pause(true, false);
            pausesUntil(least - 0.1, before, Math.min(60, least / 0.8));
            least = Math.min(48, 2 * least);
        }
        Instant before = Instant.now();
        route.pause(false, false); // no message told anything
        pausesUntil(0.5, before, 1);
    }

    /** The machine may take any time before, between and after. */
    private void pausesUntil(double least, Instant before, double most) {
        RelayState.LeftOut state = route.state();
        assertNotNull(state);
        between(least, Duration.between(before, state.until()), Double.MAX_VALUE);
        between(-Double.MAX_VALUE, Duration.between(Instant.now(), state.until()), most);
    }

    @Test
    void aTopicIsBackByWhatWasStartedAfterItWasLeftOut() {
        long before = System.nanoTime();
        route.leaveOut("away", System.nanoTime());
        assertFalse(route.worked(before));
        assertTrue(route.isOut());
        assertTrue(route.worked(System.nanoTime() + 1));
        assertFalse(route.isOut());
        assertFalse(route.worked(System.nanoTime() + 1), "it was back already");
        Duration pause = route.leaveOut("away again", System.nanoTime());
        assertNotNull(pause);
        between(0.8, pause, 1);
    }

    @Test
    void whatWasStartedBeforeATopicCameBackDoesNotLeaveItOut() {
        long before = System.nanoTime();
        assertNotNull(route.leaveOut("away", before));
        assertTrue(route.worked(System.nanoTime() + 1));
        assertNull(route.leaveOut("an old failure", before));
        assertFalse(route.isOut());
        assertNotNull(route.leaveOut("a new one", System.nanoTime() + 1));
        assertTrue(route.isOut());
    }

    @Test
    void aProbeThatHadOnlyWhatNeedsNoBrokerIsFollowedByAnother() {
        route.leaveOut("away", System.nanoTime());
        route.pause(false, true);
        assertTrue(route.isToBeProbedBy(RUN));
    }

    /** A probe that hangs is ended by another thread, and returns when the next one is at work. */
    @Test
    void aProbeThatReturnsLateDoesNotEndTheNextOne() {
        Route<String> route = new Route<>(TOPIC, new Time(1), Interceptors.NONE);
        WorkerRun next = new WorkerRun(new WakeSignal(new Time(1)), WorkerRun.Kind.PROBE);
        route.leaveOut("hangs", System.nanoTime());
        route.pause(false, true);
        assertTrue(route.isToBeProbedBy(RUN));
        route.probed(RUN, false, true);
        assertTrue(route.isToBeProbedBy(next));
        route.probed(RUN, false, true);
        assertFalse(route.isDue(), "the next one is still at work");
        route.probed(next, false, true);
        assertTrue(route.isDue());
    }

    @Test
    void ofTopicsThatAreDueTheOneThatIsDueForLongestComesFirst() {
        Time time = new Time(1);
        List<Route<?>> routes = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Route<String> next = new Route<>(TOPIC, time, Interceptors.NONE);
            next.leaveOut("away", System.nanoTime());
            next.pause(false, true);
            routes.add(next);
            long then = time.nanos();
            Fixture.await("the next one is due later", () -> time.nanos() > then);
        }
        List<Route<?>> backwards = new ArrayList<>(routes);
        Collections.reverse(backwards);
        assertEquals(routes, Route.longestOverdueFirst(routes));
        assertEquals(routes, Route.longestOverdueFirst(backwards));
        assertTrue(routes.get(1).isToBeProbedBy(RUN));
        Route<String> later = new Route<>(TOPIC, time, Interceptors.NONE);
        later.leaveOut("away", System.nanoTime());
        backwards.add(later);
        assertEquals(List.of(routes.get(0), routes.get(2), routes.get(3)), Route.longestOverdueFirst(backwards));
    }

    @Test
    void oneCallerProbesWhenThePauseIsOver() throws InterruptedException {
        Route<String> fast = new Route<>(TOPIC, new Time(100_000), Interceptors.NONE);
        fast.leaveOut("away", System.nanoTime());
        while (!fast.isToBeProbedBy(RUN)) {
            Thread.onSpinWait();
        }
        assertFalse(fast.isToBeProbedBy(RUN));
        assertEquals("away", fast.state() == null ? "" : fast.state().reason());
    }
}
