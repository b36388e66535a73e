package dev.outbox.histories;

import dev.outbox.Codecs;
import dev.outbox.Delivery;
import dev.outbox.OutboxException;
import dev.outbox.OutboxListener;
import dev.outbox.Receipt;
import dev.outbox.RetryPolicy;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.Topic;
import dev.outbox.processes.Await;
import dev.outbox.processes.SharedLog;
import dev.outbox.relay.Relay;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * A relay in a process of its own, whose brokers are the log. Arguments: name, log, workers, batch size. Standard input: the URL,
 * options as {@code name=value}, an empty line; then {@code fill} and for how many milliseconds the heap is to be full, or {@code
 * stop}, behind which it says what is left and waits for the end of its input.
 */
final class RelayMain {
    private static final String OWN = "history-";

    /** Threads of the JVM, and those that drivers keep for a whole process. */
    private static final List<String> NOT_OURS = List.of(
            "main",
            OWN,
            "Reference Handler",
            "Finalizer",
            "Signal Dispatcher",
            "Notification Thread",
            "Common-Cleaner",
            "Attach Listener",
            "process reaper",
            "ForkJoinPool",
            "DestroyJavaVM",
            "Service Thread",
            "Monitor Deflation Thread",
            "C1 CompilerThread",
            "PostgreSQL-JDBC",
            "mysql-cj-abandoned-connection-cleanup",
            "mariadb-",
            "MariaDb-",
            "CompletableFutureDelayScheduler",
            "commons-pool-evictor",
            "BufferPoolPruner-", // of MongoDB's driver
            "Cleaner-",
            "Timer-");

    private final String name;
    private final long pid = ProcessHandle.current().pid();
    private final SharedLog<Line> log;
    private final int workers;
    private final int batchSize;
    private final ExecutorService brokers = Executors.newFixedThreadPool(4, task -> {
        Thread thread = new Thread(task, OWN + "broker");
        thread.setDaemon(true);
        return thread;
    });

    private RelayMain(String name, SharedLog<Line> log, int workers, int batchSize) {
        this.name = name;
        this.log = log;
        this.workers = workers;
        this.batchSize = batchSize;
    }

    public static void main(String[] args) throws Exception {
        Thread parent = new Thread(RelayMain::endWithParent, OWN + "parent");
        parent.setDaemon(true);
        parent.start();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String url = in.readLine();
        if (url == null) {
            return; // whoever started us is gone
        }
        StoreOptions options = StoreOptions.defaults();
        for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
            int end = line.indexOf('=');
            options = options.with(line.substring(0, end), line.substring(end + 1));
        }
        try (SharedLog<Line> log = SharedLog.of(Path.of(args[1]), Line::parse)) {
            new RelayMain(args[0], log, Integer.parseInt(args[2]), Integer.parseInt(args[3])).run(url, options, in);
        }
        System.exit(0); // what it left behind was said
    }

    /** Whoever started us may be killed while we wait for a server that will never be there again. */
    private static void endWithParent() {
        ProcessHandle.current().parent().ifPresent(parent -> {
            parent.onExit().join();
            Runtime.getRuntime().halt(1);
        });
    }

    private void run(String url, StoreOptions options, BufferedReader in) throws IOException, InterruptedException {
        boolean told;
        int alive;
        try (Store store = open(url, options);
                Relay relay = relay(store)) {
            log.add(Line.now('S', name, pid));
            relay.start();
            told = obey(in);
            alive = workersAlive(relay);
        }
        if (told) {
            brokers.shutdownNow();
            log.add(Line.now('E', name, pid, alive == workers ? "all" : alive + " of " + workers, leaked()));
            while (in.readLine() != null) {
                // until it is looked at from outside
            }
        }
    }

    /** As whoever starts a relay does: again, until it works. */
    private Store open(String url, StoreOptions options) throws InterruptedException {
        while (true) {
            try {
                return Stores.open(url, options);
            } catch (OutboxException e) {
                log.add(Line.now('X', name, pid, "OPEN", e));
                Await.passed(Duration.ofMillis(500));
            }
        }
    }

    private Relay relay(Store store) {
        Relay.Builder relay = Relay.builder(store)
                .workers(workers)
                .batchSize(batchSize)
                .maxPollInterval(Duration.ofMillis(200))
                .listener(new Listener());
        for (Lane lane : Lane.values()) {
            RetryPolicy retry = RetryPolicy.defaults()
                    .withInitialDelay(Duration.ofMillis(20))
                    .withMaxDelay(Lane.DELAY);
            Topic.Builder<String> topic = Topic.builder(lane.topic(), Codecs.text())
                    .retry(lane == Lane.MORTAL ? retry.withMaxAttempts(Lane.ATTEMPTS) : retry.withUnlimitedAttempts());
            relay.topic(
                    lane.isAsynchronous()
                            ? topic.asyncPublisher(this::publishLater)
                                    .inFlight(lane.inFlight())
                                    .publishTimeout(Lane.TIMEOUT)
                                    .build()
                            : topic.publisher(this::publish).build());
        }
        return relay.build();
    }

    /** Until it is to stop, or whoever started it is gone; returns whether it was told. */
    private boolean obey(BufferedReader in) throws IOException {
        while (true) {
            try {
                String command = in.readLine();
                if (command == null || command.equals("stop")) {
                    return command != null;
                }
                fill(Duration.ofMillis(Long.parseLong(command.substring("fill ".length()))));
            } catch (OutOfMemoryError e) {
                // as it was told
            }
        }
    }

    /** Leaves others nothing of the heap, for a while. */
    private static void fill(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        List<byte[]> hoard = new ArrayList<>(10_000);
        while (System.nanoTime() - end < 0) {
            try {
                hoard.add(new byte[hoard.size() < 200 ? 256 * 1024 : 16 * 1024]);
            } catch (OutOfMemoryError e) {
                Thread.onSpinWait();
            }
        }
    }

    /** Those that memory was short for are started anew. */
    private int workersAlive(Relay relay) {
        try {
            Await.within(Duration.ofMinutes(1), () -> relay.state().workersAlive() == workers);
        } catch (Exception e) {
            // none of this throws
        }
        return relay.state().workersAlive();
    }

    /** A commit that has no majority takes until its own limit, and its thread with it. */
    private static String leaked() {
        try {
            Await.within(Duration.ofSeconds(75), () -> ours().isEmpty());
        } catch (Exception e) {
            return e.toString();
        }
        // A pool that ran out of memory while it handed a connection out has lost it, to the collector of garbage.
        System.gc();
        return String.join(",", ours());
    }

    private static Set<String> ours() {
        return threads().stream()
                .filter(thread -> NOT_OURS.stream().noneMatch(thread::startsWith))
                .collect(Collectors.toSet());
    }

    private static List<String> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(Thread::isAlive)
                .map(Thread::getName)
                .toList();
    }

    private void handed(Delivery<String> message, Text text) {
        log.add(Line.now(
                'P', name, pid, message.topic(), message.partition(), message.id(), text.name(), message.attempt()));
    }

    private void done(Delivery<String> message, Handed.End end) {
        log.add(Line.now('D', name, pid, message.id(), end));
    }

    private Receipt publish(Delivery<String> message) throws Exception {
        Text text = Text.parse(message.message());
        handed(message, text);
        boolean first = message.attempt() == 1;
        try {
            switch (text.conduct()) {
                case FAST -> {}
                case SLOW -> Await.passed(Duration.ofMillis(text.number()));
                case HANGS -> Await.passed(Duration.ofMillis(first ? text.number() : 0));
                case FAILS -> failIf(message.attempt() <= text.number());
                case POISON -> failIf(true);
                case ERROR -> {
                    if (first) {
                        throw new StackOverflowError("of a publisher");
                    }
                }
                case TAKES_AND_FAILS -> {
                    if (first) {
                        done(message, Handed.End.TAKEN_AND_FAILED);
                        throw new IOException("no answer, although it was taken");
                    }
                }
            }
        } catch (Throwable e) {
            if (text.conduct() != Conduct.TAKES_AND_FAILS) {
                done(message, Handed.End.FAILED);
            }
            throw e;
        }
        done(message, Handed.End.TAKEN);
        return Receipt.of(message.id());
    }

    private static void failIf(boolean fails) throws IOException {
        if (fails) {
            throw new IOException("the broker is away");
        }
    }

    private CompletionStage<Receipt> publishLater(Delivery<String> message) {
        Text text = Text.parse(message.message());
        CompletableFuture<Receipt> answer = new CompletableFuture<>();
        if (text.conduct() == Conduct.ERROR && message.attempt() == 1) {
            handed(message, text);
            done(message, Handed.End.FAILED);
            throw new AssertionError("of a publisher");
        }
        handed(message, text);
        if (text.conduct() == Conduct.HANGS && message.attempt() == 1) {
            return answer; // and it never comes
        }
        boolean fails = text.conduct() == Conduct.POISON
                || text.conduct() == Conduct.FAILS && message.attempt() <= text.number()
                || text.conduct() == Conduct.TAKES_AND_FAILS && message.attempt() == 1;
        Runnable end = () -> {
            if (fails) {
                done(
                        message,
                        text.conduct() == Conduct.TAKES_AND_FAILS ? Handed.End.TAKEN_AND_FAILED : Handed.End.FAILED);
                answer.completeExceptionally(new IOException("the broker is away"));
            } else {
                done(message, Handed.End.TAKEN);
                answer.complete(Receipt.of(message.id()));
            }
        };
        Executor broker = CompletableFuture.delayedExecutor(
                text.conduct() == Conduct.SLOW ? text.number() : text.sequence() % 3, TimeUnit.MILLISECONDS, brokers);
        broker.execute(end);
        return answer;
    }

    private final class Listener implements OutboxListener {
        @Override
        public void failed(Failed event) {
            log.add(Line.now('R', name, pid, event.message().id()));
        }

        @Override
        public void deadLettered(DeadLettered event) {
            log.add(Line.now('L', name, pid, event.message().id()));
        }

        @Override
        public void storeFailed(StoreFailed event) {
            log.add(Line.now('X', name, pid, event.step(), event.error()));
        }
    }
}
