package dev.outbox.relay;

import static dev.outbox.relay.RelayLog.LOG;

import dev.outbox.Capability;
import dev.outbox.ConfigurationException;
import dev.outbox.MisuseException;
import dev.outbox.OutboxListener;
import dev.outbox.Store;
import dev.outbox.Topic;
import dev.outbox.WakeUps;
import dev.outbox.internal.Causes;
import dev.outbox.internal.Durations;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Publishes what was committed: checks messages out of a store, hands them to the publishers of their topics, and
 * settles them. Any number of relays may work on one store, in any number of processes.
 *
 * <pre>{@code
 * Relay relay = Relay.builder(store).topic(orders).workers(4).build();
 * relay.start();
 * …
 * relay.close();
 * }</pre>
 *
 * <p>Every message is published at least once: after a crash those of the open batch come again, with the same ids.
 * Within a partition messages are published in order, and after a failure no later message of it is started
 * until it was published or given up. A publisher may throw anything, even an {@link Error}:
 * it costs one failed message and never the thread. Only an {@link OutOfMemoryError} is put down to the process the
 * first three times. If the broker seems to be away, the topic is left out for a while.
 *
 * <p>A message that was published and could not be settled, because the store refused it or was away, is remembered by
 * this relay for an hour. When it comes again, the relay settles it and does not publish it once more.
 *
 * <p>Safe for use by several threads.
 */
public final class Relay implements AutoCloseable {
    /** What {@link Builder#workers} is unless it is set. */
    public static final int DEFAULT_WORKERS = 1;

    /** What {@link Builder#batchSize} is unless it is set. */
    public static final int DEFAULT_BATCH_SIZE = 100;

    /** What {@link Builder#publishers} is unless it is set. */
    public static final int DEFAULT_PUBLISHERS = 16;

    private static final Duration PROBE_INTERVAL = Duration.ofSeconds(1);

    /** Short, so that a store that is back is not kept waiting; one question per worker costs a store nothing. */
    private static final Duration LONGEST_TROUBLE = Duration.ofSeconds(2);

    private static final long AFTER_THE_UNEXPECTED_NANOS = 500_000_000;
    private static final Duration AFTER_THE_UNEXPECTED = Duration.ofNanos(AFTER_THE_UNEXPECTED_NANOS);

    /** How often to look for publishers that hang. */
    private static final Duration LOOK = Duration.ofSeconds(1);

    /** How long a publisher that was interrupted at the end of the shutdown time has to come back. */
    private static final Duration LAST_CHANCE = Duration.ofSeconds(5);

    private final Store store;
    private final int workers;
    private final int batchSize;
    private final Duration maxPollInterval;
    private final Duration shutdownTimeout;
    private final Time time;
    private final Shared shared;
    private final WakeSignal signal;
    private final RelayHealth health = new RelayHealth();
    private final UnservedTopics unserved;
    private final Interceptors interceptors;
    private final Threads threads;
    private final AtomicBoolean subscribed = new AtomicBoolean();
    private final AtomicBoolean subscriptionFailed = new AtomicBoolean();

    /** Replaced, never changed, so that a round reads one consistent state without a lock. */
    private volatile Map<String, Route<?>> routes = Map.of();

    /** Workers that should run and do not, because their threads could not be started or ended by themselves. */
    private final AtomicInteger missing = new AtomicInteger();

    private final AtomicInteger hired = new AtomicInteger();

    private final HangingBatches hanging = new HangingBatches();

    private final AtomicBoolean tooManyHang = new AtomicBoolean();

    private final AtomicBoolean watched = new AtomicBoolean();
    private volatile @Nullable Thread watcher;

    /** Two, so that one that hangs keeps no other topic out. No more, because each takes one more connection. */
    private final Semaphore probes = new Semaphore(2);

    // Guarded by this.
    private final List<WorkerRun> runs = new ArrayList<>();
    private @Nullable Instant startedAt;
    private @Nullable Instant firstTopicAt;
    private WakeUps.@Nullable Subscription subscription;

    private Relay(Builder builder) {
        this.store = builder.store;
        this.unserved = new UnservedTopics(store);
        this.workers = builder.workers;
        this.batchSize = builder.batchSize;
        this.maxPollInterval = builder.maxPollInterval;
        this.shutdownTimeout = builder.shutdownTimeout;
        this.threads = new Threads(builder.threads);
        this.interceptors = new Interceptors(builder.interceptors);
        this.time = new Time(builder.speed);
        this.signal = new WakeSignal(time);
        this.shared = new Shared(
                store,
                new Listeners(builder.listeners),
                time,
                builder.maxBatchTime,
                new Helpers(builder.publishers, threads));
    }

    /** Starts a relay over a store, which it uses but does not close. */
    public static Builder builder(Store store) {
        return new Builder(store);
    }

    /**
     * Serves one more topic; also while the relay is running. It serves all partitions that hold messages of the topic,
     * whatever partition count it is configured with here.
     *
     * @throws MisuseException if a topic of this name is registered already, or the relay is closed
     * @throws ConfigurationException if the topic has no publisher
     */
    public synchronized void register(Topic<?> topic) {
        requireOpen();
        topic.requirePublisher();
        Map<String, Route<?>> more = new HashMap<>(routes);
        Route<?> route = new Route<>(topic, time, interceptors);
        if (more.putIfAbsent(topic.name(), route) != null) {
            throw new MisuseException("Topic " + topic.name() + " is registered with this relay already. A topic is"
                    + " registered once; give the other one a name of its own.");
        }
        shared.listeners.add(topic);
        hanging.register(route);
        if (firstTopicAt == null) {
            firstTopicAt = Instant.now();
        }
        routes = Map.copyOf(more);
        signal.raise();
    }

    /**
     * Does one round for the calling thread: checks out at most this many messages, publishes them, and closes the
     * batch. Publishers may run on other threads, see {@link Builder#publishers}.
     * Does nothing if no topic is registered. Of a topic that is left out because its broker is away, it takes nothing
     * until the pause is over, and then one message first. If a publisher does not return, neither does this, but other
     * threads can go on with the other topics. After a close that failed it does less: one message, to see
     * whether it can be settled, and nothing while another thread does the same. An interrupt ends the round early and
     * stays set.
     *
     * @param limit the most messages to take, at least 1
     * @return what was published, what failed, and the store's error if there was one; never throws for those
     * @throws MisuseException if limit is below 1 or the relay is closed
     */
    public RoundResult processMessages(int limit) {
        requireAtLeastOne("limit", limit);
        WorkerRun run = begin(WorkerRun.Kind.CALLER);
        try {
            Map<String, Route<?>> asked = new HashMap<>(routes);
            Admission.Permit permit = asked.isEmpty() ? null : shared.admission.ask(limit, true);
            if (permit == null) {
                return new RoundResult(0, 0, null);
            }
            watch();
            Set<Route<?>> probed = new HashSet<>();
            Round round = null;
            try {
                asked.values().removeIf(route -> route.isOut() && !isToBeProbed(route, run, probed));
                round = new Round(shared, asked, probed, run, permit, limit);
                return asked.isEmpty() ? new RoundResult(0, 0, null) : run(round, false);
            } finally {
                try {
                    shared.admission.unproven(permit);
                } finally {
                    endProbes(round, run, probed);
                }
            }
        } finally {
            end(run);
        }
    }

    /** Noted first: a topic that is being probed, and that no one ends the probe of, stays left out. */
    private boolean isToBeProbed(Route<?> route, WorkerRun run, Set<Route<?>> probed) {
        probed.add(route);
        if (beginProbe(route, run)) {
            return true;
        }
        probed.remove(route);
        return false;
    }

    private void endProbes(@Nullable Round round, WorkerRun run, Set<Route<?>> probed) {
        if (round != null) {
            round.endProbes();
        }
        for (Route<?> route : probed) {
            route.probed(run, false, false);
            hanging.remove(route);
        }
    }

    /** If it is time to see whether the broker is back, and there is room for the case that it hangs. */
    private boolean beginProbe(Route<?> route, WorkerRun run) {
        if (!route.isToBeProbedBy(run)) {
            return false;
        }
        if (hanging.add(route)) {
            return true;
        }
        route.probed(run, false, false);
        tooManyHang();
        return false;
    }

    /**
     * Publishes messages on the calling thread until the relay is closed or the thread is interrupted, which stays set.
     * If a publisher does not return, the thread waits for it, and no worker takes its place.
     * Full batches follow each other immediately; when there is nothing to do, the pauses grow up to {@link
     * Builder#maxPollInterval} and are cut short by wake-ups; when a checkout fails, they grow up to 2 seconds.
     *
     * @param batchSize the most messages to take at a time, at least 1
     * @throws MisuseException if batchSize is below 1 or the relay is closed
     */
    public void pollForMessages(int batchSize) {
        requireAtLeastOne("batchSize", batchSize);
        WorkerRun run = begin(WorkerRun.Kind.CALLER);
        try {
            poll(run, batchSize);
        } finally {
            end(run);
        }
    }

    /**
     * Starts the workers: {@link Builder#workers} threads that each do what {@link #pollForMessages} does. Unless
     * {@link Builder#threads} says otherwise, they keep the process alive until {@link #close}. Whatever stores,
     * publishers, codecs and listeners throw, a worker goes on. If the system has no thread for one of them now, the
     * others start it later; if it has none at all, this throws and may be called again.
     *
     * @throws MisuseException if the relay was started before or is closed
     */
    public synchronized void start() {
        requireOpen();
        if (startedAt != null) {
            throw new MisuseException("This relay is started already; one start serves all its workers.");
        }
        Instant now = Instant.now();
        hire();
        startedAt = now;
        missing.set(workers - 1);
        hireMissing();
    }

    /** What there is to know about how the relay is doing: for health checks and for operators. Cheap. */
    public synchronized RelayState state() {
        return new RelayState(
                startedAt != null && !signal.isClosed(),
                servingSince(),
                workers,
                (int) runs.stream()
                        .filter(run -> run.isWorker() && !run.isGivenUp())
                        .count(),
                health.lastGoodRound(),
                health.lastTrouble(),
                shared.admission.failingSince(),
                shared.unsettled.size(),
                shared.admission.setAside(),
                routes.values().stream()
                        .map(Route::state)
                        .filter(Objects::nonNull)
                        .sorted(Comparator.comparing(RelayState.LeftOut::topic))
                        .toList(),
                shared.partitionCounts.misplaced(),
                unserved.topics(routes.keySet()),
                maxPollInterval,
                longestQuiet());
    }

    private synchronized @Nullable Instant servingSince() {
        Instant started = startedAt;
        Instant first = firstTopicAt;
        return started == null || first == null ? null : started.isAfter(first) ? started : first;
    }

    private Duration longestQuiet() {
        Duration publishing = routes.values().stream()
                .map(route -> route.topic.publishTimeout())
                .max(Comparator.naturalOrder())
                .orElse(Duration.ZERO);
        return maxPollInterval.plus(shared.maxBatchTime).plus(publishing).plus(Route.LONGEST_PAUSE);
    }

    /** Whether {@link #close} was called. A closed relay stays closed. Cheap. */
    public boolean isClosed() {
        return signal.isClosed();
    }

    private void hire() {
        WorkerRun run = begin(WorkerRun.Kind.WORKER);
        try {
            // No daemon, also if a daemon starts it.
            run.runOn(threads.make("worker-" + hired.incrementAndGet(), false, () -> work(run)));
        } catch (Throwable e) {
            end(run);
            throw e;
        }
    }

    /** On any thread that serves the relay, so that no one thread has to live for the others to be started. */
    private void hireMissing() {
        while (missing.get() > 0 && !signal.isClosed()) {
            if (missing.getAndDecrement() <= 0) {
                missing.incrementAndGet();
                return;
            }
            try {
                hire();
            } catch (Throwable e) {
                missing.incrementAndGet();
                health.trouble(e);
                LOG.warn("[OUTBOX-115] A worker's thread could not be started; the others go on and try again", e);
                return;
            }
        }
    }

    /**
     * Says that messages may be waiting, so that the next poll is now; to be called after a commit in the same process.
     * Cheap; does nothing on a closed relay.
     */
    public void wakeUp() {
        signal.raise();
    }

    /**
     * Stops. Workers finish the messages they are publishing, start no others, and settle what they have; what was not
     * started is released. After the {@linkplain Builder#shutdownTimeout shutdown time} publishers still busy are
     * interrupted, get 5 more seconds to come back, and their messages, whose outcome is unknown, come again later. So
     * this takes no longer than the shutdown time and 5 seconds, also if the store does not answer. If no message is in
     * hand, it waits 2 seconds at most for the store. The thread that waits in the store ends when the store answers,
     * and publishes nothing. The store stays open. Closing again waits again, if something is still busy; an interrupt
     * of the caller ends the wait and stays set.
     *
     * <p>A publisher, codec or listener that calls this on its worker's thread stops the relay without waiting for it.
     * One that is to complete an asynchronous publisher's answer must not wait here for what it holds up itself.
     */
    @Override
    public void close() {
        List<WorkerRun> open;
        WakeUps.Subscription ended;
        synchronized (this) {
            signal.close();
            open = List.copyOf(runs);
            ended = subscription;
            subscription = null;
        }
        end(ended);
        shared.helpers.close();
        if (open.stream().anyMatch(WorkerRun::isMine) || Objects.equals(watcher, Thread.currentThread())) {
            return;
        }
        try {
            if (!WorkerRun.awaitAll(open, shutdownTimeout)) {
                LOG.warn(
                        "[OUTBOX-116] Workers are still busy {} after the relay was told to close; interrupting them",
                        shutdownTimeout);
                open.forEach(WorkerRun::abandon);
                if (!WorkerRun.awaitAll(open, LAST_CHANCE)) {
                    sayWhatIsWaitedFor(open);
                    return;
                }
            }
            if (!open.stream().allMatch(WorkerRun::hasEnded)) {
                LOG.warn("[OUTBOX-117] The store does not answer. The relay does not wait for calls that no message"
                        + " depends on");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void sayWhatIsWaitedFor(List<WorkerRun> runs) {
        List<WorkerRun> left = runs.stream().filter(run -> !run.hasEnded()).toList();
        if (left.stream().anyMatch(WorkerRun::isInPublisher)) {
            LOG.error("[OUTBOX-118] A worker ignores interrupts; its batch stays open until it returns or the store is"
                    + " closed");
        }
        if (left.stream().anyMatch(run -> run.hasBatch() && !run.isInPublisher())) {
            LOG.error("[OUTBOX-119] The store does not answer a worker that settles its messages; its batch stays open"
                    + " until the store answers or is closed");
        }
    }

    /** Foreign code, so outside of our lock, and what it throws must not keep us from waiting for the workers. */
    private static void end(WakeUps.@Nullable Subscription subscription) {
        try {
            if (subscription != null) {
                subscription.close();
            }
        } catch (Throwable e) {
            LOG.warn("[OUTBOX-120] Ending the store's wake-ups failed", e);
        }
    }

    private void requireOpen() {
        if (signal.isClosed()) {
            throw new MisuseException("This relay is closed; build another one.");
        }
    }

    private synchronized WorkerRun begin(WorkerRun.Kind kind) {
        requireOpen();
        WorkerRun run = new WorkerRun(signal, kind);
        runs.add(run);
        return run;
    }

    private void end(WorkerRun run) {
        synchronized (this) {
            runs.remove(run);
        }
        run.end();
    }

    private void work(WorkerRun run) {
        try {
            poll(run, batchSize);
        } finally {
            boolean counted = run.stopCounting();
            boolean early = counted && !run.isOver();
            end(run);
            if (!counted) {
                isBack(run);
            }
            if (early) { // there is no known way here, and nobody shall find out by a growing backlog if there is one
                missing.incrementAndGet();
                LOG.error("[OUTBOX-113] A worker ended although the relay is not closed; another one takes its place");
                hireMissing();
            }
        }
    }

    private void poll(WorkerRun run, int most) {
        Polling polling = null;
        while (!run.isOver() && !run.isGivenUp()) {
            try {
                if (polling == null) {
                    polling = new Polling(run, most);
                }
                polling.next();
            } catch (Throwable e) {
                survive(run, e);
            }
        }
    }

    /**
     * What escaped a round ends the round, not the thread. Short of memory, nothing here may need any: what is thrown
     * on the way is dropped, and the pause needs none.
     */
    private void survive(WorkerRun run, Throwable e) {
        try {
            health.trouble(e);
            run.caught(e);
            shared.sparing.error("[OUTBOX-114] A round of the relay failed unexpectedly; it goes on", e);
        } catch (Throwable again) {
            // The state has it, and the next round will find the same if it lasts.
        }
        try {
            run.pause(AFTER_THE_UNEXPECTED, false);
        } catch (Throwable again) {
            LockSupport.parkNanos(AFTER_THE_UNEXPECTED_NANOS);
        }
    }

    /** What a thread that polls remembers from round to round. */
    private final class Polling {
        private final WorkerRun run;
        private final int most;
        private final AdaptiveBatchSize limit;
        private final StoreHealth storeHealth = new StoreHealth();
        private final Backoff idle = new Backoff(Duration.ofMillis(10), maxPollInterval);
        private final Backoff trouble = new Backoff(Duration.ofMillis(100), LONGEST_TROUBLE);
        private boolean ranOutOfTime;

        Polling(WorkerRun run, int most) {
            this.run = run;
            this.most = most;
            this.limit = new AdaptiveBatchSize(most);
        }

        void next() {
            hireMissing();
            watch();
            run.takeInterrupt();
            subscribe();
            Map<String, Route<?>> served = served();
            Admission.Permit permit = served.isEmpty() ? null : shared.admission.ask(limit.get(), false);
            if (permit == null) {
                run.pause(served.isEmpty() ? idlePause(served) : shared.admission.pause(), true);
                return;
            }
            try {
                next(new Round(shared, served, Set.of(), run, permit, limit.get()), served);
            } finally {
                shared.admission.unproven(permit); // whatever happened, no round waits for its proof now
            }
        }

        private void next(Round round, Map<String, Route<?>> served) {
            RoundResult result = run(round, ranOutOfTime);
            ranOutOfTime = round.ranOutOfTime();
            storeHealth.saw(result.storeError());
            if (isOutOfMemory(result.storeError()) && limit.wasTooMuch()) {
                LOG.warn(
                        "[OUTBOX-111] A batch did not fit into memory; going on with {} messages instead of {}. Raise"
                                + " the heap or lower batchSize, or publish references to large payloads",
                        limit.get(),
                        most);
            }
            if (round.checkoutFailed() || round.wasShortOfMemory()) {
                run.pause(trouble.next(), false);
                return;
            }
            if (result.storeError() != null) {
                return; // what may be done next, and when, is for the next permit to say
            }
            trouble.reset();
            unserved.look(routes.keySet(), !result.metMessages());
            limit.saw(round.size(), round.used());
            if (result.metMessages()) {
                idle.reset();
                if (round.isFull()) {
                    signal.raise(); // there is more than one worker's work
                }
            } else {
                run.pause(idlePause(served), true);
            }
        }

        /** While a topic is left out there is something to do: to see whether its broker is back. */
        private Duration idlePause(Map<String, Route<?>> served) {
            Duration pause = idle.next();
            return served.size() < routes.size() && pause.compareTo(PROBE_INTERVAL) > 0 ? PROBE_INTERVAL : pause;
        }
    }

    /** Drivers wrap it. */
    private static boolean isOutOfMemory(@Nullable Throwable error) {
        return Causes.any(error, cause -> cause instanceof OutOfMemoryError);
    }

    /** The topics to ask for: all but those whose brokers are away. To see if one is back is another thread's. */
    private Map<String, Route<?>> served() {
        Map<String, Route<?>> all = routes;
        Map<String, Route<?>> served = all;
        for (Route<?> route : all.values()) {
            if (route.isOut()) {
                if (served == all) {
                    served = new HashMap<>(all);
                }
                served.remove(route.topic.name());
            }
        }
        if (served != all) {
            probeSome(all.values());
        }
        return served;
    }

    /** As many as there is room for. */
    private void probeSome(Collection<Route<?>> all) {
        for (Route<?> route : Route.longestOverdueFirst(all)) {
            if (!probes.tryAcquire()) {
                return;
            }
            probe(route);
        }
    }

    /**
     * Tries one message of a topic that was left out, in a batch and on a thread of its own, since it may take until
     * the broker's client gives up.
     */
    private void probe(Route<?> route) {
        WorkerRun run = null;
        try {
            WorkerRun begun = begin(WorkerRun.Kind.PROBE);
            run = begun;
            if (!beginProbe(route, begun)) {
                probes.release();
                end(begun);
                return;
            }
            begun.waitsFor = route;
            begun.runOn(threads.make("probe-" + route.topic.name(), true, () -> probe(route, begun)));
        } catch (Throwable e) {
            if (run != null) {
                route.probed(run, false, false);
                hanging.remove(run.waitsFor);
                end(run);
            }
            probes.release();
            if (!signal.isClosed()) {
                health.trouble(e);
            }
        }
    }

    private void probe(Route<?> route, WorkerRun run) {
        Round round = null; // nothing that needs memory stands before the try
        try {
            Admission.Permit permit = shared.admission.ask(1, false);
            if (permit != null) {
                try {
                    round = new Round(shared, Map.of(route.topic.name(), route), Set.of(route), run, permit, 1);
                    run(round, false);
                } finally {
                    shared.admission.unproven(permit);
                }
            }
        } catch (Throwable e) {
            health.trouble(e);
        } finally {
            if (round == null) {
                route.probed(run, false, false);
            } else {
                round.endProbe(route);
            }
            if (run.stopCounting()) {
                probes.release();
                hanging.remove(route);
            } else { // the probe was ended when it was found to hang
                isBack(run);
            }
            end(run);
            signal.raise();
        }
    }

    /** The publisher that the run waited for has returned, so there is room again. */
    private void isBack(WorkerRun run) {
        hanging.remove(run.waitsFor);
        tooManyHang.set(false);
    }

    private RoundResult run(Round round, boolean atRandom) {
        RoundResult result = round.run(atRandom);
        health.saw(result);
        return result;
    }

    /** The worker's own thread cannot look: it may be what hangs. */
    private void watch() {
        if (!watched.compareAndSet(false, true)) {
            return;
        }
        try {
            threads.make("watch", true, () -> {
                        try {
                            watcher = Thread.currentThread();
                            lookForHanging();
                        } finally {
                            watcher = null;
                            watched.set(false);
                            if (!signal.isClosed() && !runs().isEmpty()) {
                                watch(); // one that began meanwhile has relied on this thread
                            }
                        }
                    })
                    .start();
        } catch (Throwable e) {
            watched.set(false);
            health.trouble(e);
        }
    }

    /** For as long as there is something to look at, so that a relay that nobody closes keeps no thread. */
    private void lookForHanging() {
        Set<WorkerRun.Call> seen = new HashSet<>();
        for (List<WorkerRun> runs = runs(); !runs.isEmpty() && !signal.isClosed(); runs = runs()) {
            try {
                signal.await(LOOK, false);
                Set<WorkerRun.Call> hanging = new HashSet<>();
                for (WorkerRun run : runs) {
                    List<WorkerRun.Call> calls = run.hanging();
                    hanging.addAll(calls);
                    calls.stream().filter(call -> !seen.contains(call)).forEach(this::leaveOut);
                    if (!calls.isEmpty()) {
                        endProbes(run, calls);
                        if (!run.isGivenUp()) {
                            doWithout(run, calls);
                        }
                    }
                }
                seen.addAll(hanging);
                seen.retainAll(hanging);
                hireMissing();
            } catch (InterruptedException e) {
                // Nobody else has this thread; closing is how to end it.
            } catch (Throwable e) {
                health.trouble(e);
                LockSupport.parkNanos(AFTER_THE_UNEXPECTED_NANOS);
            }
        }
    }

    private synchronized List<WorkerRun> runs() {
        return List.copyOf(runs);
    }

    /** All of the run, because it tells of none before its round is over, and that may be never. */
    private void endProbes(WorkerRun run, List<WorkerRun.Call> hanging) {
        hanging.forEach(call -> call.route().probed(run, true, false));
        routes.values().forEach(route -> route.probed(run, false, false));
    }

    private void leaveOut(WorkerRun.Call hanging) {
        shared.leaveOut(
                hanging.route(),
                Shared.SEEMS_AWAY,
                new TimeoutException("A publisher has not returned within "
                        + hanging.route().topic.publishTimeout() + "; its client needs a shorter time limit"),
                hanging.since());
    }

    /**
     * The batch of a publisher that hangs stays open until the publisher returns, because otherwise later messages
     * could overtake its message. But the other topics shall have a worker, and the topic shall be tried again.
     */
    private void doWithout(WorkerRun run, List<WorkerRun.Call> calls) {
        if (run.isProbe()) { // its room was made before
            if (run.stopCounting()) {
                probes.release();
            }
            return;
        }
        if (!run.isWorker()) {
            return; // the thread is not the relay's
        }
        for (WorkerRun.Call call : calls) {
            if (hanging.add(call.route())) {
                run.waitsFor = call.route();
                if (run.stopCounting()) {
                    missing.incrementAndGet();
                } else {
                    hanging.remove(call.route()); // it has come back
                }
                return;
            }
        }
        tooManyHang();
    }

    private void tooManyHang() {
        if (tooManyHang.compareAndSet(false, true)) {
            LOG.warn("[OUTBOX-108] Too many publishers hang. Until some return, their topics are not tried again, and"
                    + " fewer workers may be left to the other topics");
        }
    }

    /** Wake-ups are a hint, so without them the relay polls, and asks for them again before every round. */
    private void subscribe() {
        if (!subscribed.compareAndSet(false, true)) {
            return;
        }
        try {
            if (store.capabilities().has(Capability.WAKE_UP)) {
                keep(WakeUps.of(store).onWakeUp(signal::raise));
            }
        } catch (Throwable e) {
            subscribed.set(false);
            if (subscriptionFailed.compareAndSet(false, true)) {
                LOG.warn(
                        "[OUTBOX-112] The store's wake-ups are not available now; messages are found by polling every"
                                + " {}",
                        maxPollInterval,
                        e);
            }
        }
    }

    private void keep(WakeUps.Subscription made) {
        boolean tooLate;
        synchronized (this) {
            tooLate = signal.isClosed();
            subscription = tooLate ? null : made;
        }
        if (tooLate) {
            end(made);
        }
    }

    private static void requireAtLeastOne(String name, int value) {
        if (value < 1) {
            throw new MisuseException(name + " is " + value + "; expected at least 1.");
        }
    }

    /** Collects what a relay needs. Used by one thread. */
    public static final class Builder {
        private final Store store;
        private final List<Topic<?>> topics = new ArrayList<>();
        private final List<OutboxListener> listeners = new ArrayList<>();
        private final List<PublishInterceptor> interceptors = new ArrayList<>();
        private Duration maxBatchTime = Duration.ofSeconds(5);
        private int publishers = DEFAULT_PUBLISHERS;
        private @Nullable ThreadFactory threads;
        private int speed = 1;
        private int workers = DEFAULT_WORKERS;
        private int batchSize = DEFAULT_BATCH_SIZE;
        private Duration maxPollInterval = Duration.ofSeconds(1);
        private Duration shutdownTimeout = Duration.ofSeconds(20);

        private Builder(Store store) {
            this.store = Objects.requireNonNull(store, "store");
        }

        /** Serves a topic; as {@link Relay#register}, whose errors {@link #build} throws. */
        public Builder topic(Topic<?> topic) {
            topics.add(Objects.requireNonNull(topic, "topic"));
            return this;
        }

        /**
         * How many threads {@link Relay#start} starts, 1 to 1000; by default {@value Relay#DEFAULT_WORKERS}. Each holds
         * one batch at a time. A store that was opened by URL opens connections for as many. The pool or client of an
         * application must have room for them.
         *
         * @throws ConfigurationException if it is out of range
         */
        public Builder workers(int workers) {
            require(workers >= 1 && workers <= 1000, "workers", workers, "1 to 1000");
            this.workers = workers;
            return this;
        }

        /**
         * The most messages a worker takes at a time, at least 1; by default {@value Relay#DEFAULT_BATCH_SIZE}. After a
         * crash this many may be published twice. They are in memory together; if they do not fit, a worker goes on
         * with fewer.
         *
         * @throws ConfigurationException if it is out of range
         */
        public Builder batchSize(int batchSize) {
            require(batchSize >= 1, "batchSize", batchSize, "at least 1");
            this.batchSize = batchSize;
            return this;
        }

        /**
         * How long a batch may take: when it is over no more of its messages are started, those in hand finish, and it
         * is closed; the rest is released. By default 5 seconds. So a slow publisher does not keep a batch open until a
         * pool, a firewall or the server ends its connection.
         *
         * @throws ConfigurationException if it is below 1 millisecond or above 365 days
         */
        public Builder maxBatchTime(Duration time) {
            this.maxBatchTime =
                    Durations.checked("Relay: maxBatchTime", Duration.ofMillis(1), time, ConfigurationException::new);
            return this;
        }

        /**
         * How many partitions the workers publish at a time on threads in addition to their own, 1 to 1000; by default
         * {@value Relay#DEFAULT_PUBLISHERS}. Publishers and codecs must be safe for use by as many threads. They are
         * called on the worker's own thread while that is quick, or while there is only one partition to do. With
         * several topics, and at least 4 threads, none gets more than three quarters of them, rounded up. 1 means that
         * each worker publishes one message after the other, on its own thread.
         *
         * @throws ConfigurationException if it is out of range
         */
        public Builder publishers(int publishers) {
            require(publishers >= 1 && publishers <= 1000, "publishers", publishers, "1 to 1000");
            this.publishers = publishers;
            return this;
        }

        /**
         * The longest pause between two polls when there is nothing to do; by default 1 second.
         *
         * @throws ConfigurationException if it is below 1 millisecond or above 365 days
         */
        public Builder maxPollInterval(Duration interval) {
            this.maxPollInterval = Durations.checked(
                    "Relay: maxPollInterval", Duration.ofMillis(1), interval, ConfigurationException::new);
            return this;
        }

        /**
         * How long {@link Relay#close} waits for publishers before it interrupts them; by default 20 seconds, which
         * with the 5 seconds of {@link Relay#close} fits into the 30 that containers usually get.
         *
         * @throws ConfigurationException if it is negative or above 365 days
         */
        public Builder shutdownTimeout(Duration timeout) {
            this.shutdownTimeout =
                    Durations.checked("Relay: shutdownTimeout", Duration.ZERO, timeout, ConfigurationException::new);
            return this;
        }

        /** For tests: how much faster than others its clock goes. */
        Builder speed(int speed) {
            this.speed = speed;
            return this;
        }

        /**
         * Where the relay's threads come from: the workers, those that call publishers, those that see whether a
         * broker is back, and one that sees whether a publisher returns. The relay names them {@code
         * outbox-relay-1-worker-1} and so on, with a number for each relay of the process, and changes nothing else. By
         * default they are platform threads, and the workers are no daemons. With {@code Thread.ofVirtual().factory()}
         * they are virtual: the relay holds no monitor while it waits or calls a publisher or the store, and the
         * process ends although the relay is not closed.
         */
        public Builder threads(ThreadFactory threads) {
            this.threads = Objects.requireNonNull(threads, "threads");
            return this;
        }

        /**
         * Tells a listener of everything the relay does; several may be added, and are told in that order. A relay does
         * not see messages that are written. A listener that is told of those, too, is given to the topic instead, by
         * {@link Topic.Builder#listener}.
         */
        public Builder listener(OutboxListener listener) {
            listeners.add(Objects.requireNonNull(listener, "listener"));
            return this;
        }

        /**
         * Runs something around every call of a publisher; several may be added, and the first is the outermost. What
         * it throws means the same as from the publisher.
         */
        public Builder around(PublishInterceptor interceptor) {
            interceptors.add(Objects.requireNonNull(interceptor, "interceptor"));
            return this;
        }

        /**
         * The relay, not started yet.
         *
         * @throws MisuseException if two topics have the same name
         * @throws ConfigurationException if a topic has no publisher
         */
        public Relay build() {
            Relay relay = new Relay(this);
            topics.forEach(relay::register);
            String reason = store.capabilities().reasonWithout(Capability.PARTITION_EXCLUSIVITY);
            if (reason != null) {
                LOG.warn(
                        "[OUTBOX-121] The store has no {}: {}. So {}.",
                        Capability.PARTITION_EXCLUSIVITY,
                        reason,
                        Capability.PARTITION_EXCLUSIVITY.loss());
            }
            return relay;
        }

        private static void require(boolean holds, String name, Object value, String expected) {
            if (!holds) {
                throw new ConfigurationException("Relay: " + name + " is " + value + "; expected " + expected + ".");
            }
        }
    }
}
