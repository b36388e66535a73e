package dev.outbox.histories;

import dev.outbox.OutgoingMessage;
import dev.outbox.processes.Await;
import dev.outbox.processes.SharedLog;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A thread of the application: in each transaction a row of its own and some messages, numbered in the order in which they are
 * written. What became of the transaction goes into the log; if it cannot know, it says so.
 */
final class Writer implements Runnable {
    /** Opens a connection. */
    interface Connector {
        Backend.Application connect() throws Exception;
    }

    private static final List<Lane> LANES = List.of(Lane.values());

    private final int number;
    private final Connector connector;
    private final SharedLog<Line> log;
    private final BooleanSupplier isTooFarAhead;
    private final AtomicInteger committed;
    private final Random random;
    private final boolean hurry;
    private volatile boolean stopping;

    private int transaction;
    private int sequence;

    /**
     * Makes one.
     *
     * @param committed where messages are counted whose commit was answered
     * @param hurry whether nothing is to take longer than a moment
     */
    Writer(
            int number,
            long seed,
            Connector connector,
            SharedLog<Line> log,
            BooleanSupplier isTooFarAhead,
            AtomicInteger committed,
            boolean hurry) {
        this.number = number;
        this.connector = connector;
        this.log = log;
        this.isTooFarAhead = isTooFarAhead;
        this.committed = committed;
        this.random = new Random(seed + number);
        this.hurry = hurry;
    }

    void stop() {
        stopping = true;
    }

    @Override
    public void run() {
        Backend.@Nullable Application application = null;
        while (!stopping) {
            try {
                if (isTooFarAhead.getAsBoolean()) {
                    pause(20);
                    continue;
                }
                if (application == null) {
                    application = connector.connect();
                }
                write(application);
                pause(random.nextInt(40));
            } catch (Exception e) {
                close(application); // the server may be away, or refuse
                application = null;
                pause(50);
            }
        }
        close(application);
    }

    private static void pause(int millis) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
    }

    private static void close(Backend.@Nullable Application application) {
        try {
            if (application != null) {
                application.close();
            }
        } catch (Exception e) {
            // it is gone
        }
    }

    private void write(Backend.Application application) throws Exception {
        String name = number + "/" + ++transaction;
        List<Sent> messages = new ArrayList<>();
        Story.Ending ending = Story.Ending.UNDONE; // as long as no commit was called, there cannot be one
        try {
            application.begin(name);
            persist(application, messages);
            if (random.nextInt(4) == 0) {
                Object savepoint = application.savepoint();
                int kept = messages.size();
                persist(application, messages);
                if (savepoint != null) {
                    application.back(savepoint);
                    messages.subList(kept, messages.size()).replaceAll(Sent::undone);
                    persist(application, messages);
                }
            }
            if (random.nextInt(200) == 0) { // others are to write later and commit earlier
                Await.passed(Duration.ofMillis(random.nextInt(hurry ? 300 : 5_000)));
            }
            if (random.nextInt(6) == 0) {
                application.rollback();
            } else {
                ending = Story.Ending.UNKNOWN;
                ending = application.commit();
            }
        } finally {
            log.add(Line.now(
                    'T',
                    number,
                    transaction,
                    ending,
                    messages.stream().map(Sent::toString).collect(Collectors.joining(" "))));
            committed.addAndGet(ending == Story.Ending.COMMITTED ? messages.size() : 0);
        }
    }

    private void persist(Backend.Application application, List<Sent> messages) throws Exception {
        for (int n = 1 + random.nextInt(3); n > 0; n--) {
            Lane lane = LANES.get(random.nextInt(LANES.size()));
            int partition = random.nextInt(lane.partitions());
            Text text = text(lane);
            OutgoingMessage message = new OutgoingMessage(
                    lane.topic(),
                    partition,
                    "key " + partition,
                    Map.of("writer", Integer.toString(number)),
                    text.payload().getBytes(StandardCharsets.UTF_8));
            long began = System.nanoTime();
            String id = application.persist(message);
            messages.add(new Sent(lane.topic(), partition, text.name(), id, true, began));
        }
    }

    private Text text(Lane lane) {
        int padding = random.nextInt(100) == 0 ? 20_000 : random.nextInt(hurry ? 1_000 : 500) == 0 ? 1_000_000 : 0;
        sequence++;
        Conduct conduct = Conduct.FAST;
        int number = 0;
        int lot = random.nextInt(3_000);
        if (lot < 60) {
            conduct = Conduct.SLOW;
            number = 10 + random.nextInt(hurry || lot > 10 ? 200 : 3_000);
        } else if (lot < 100) {
            conduct = Conduct.FAILS;
            number = 1 + random.nextInt(2);
        } else if (lot < 110) {
            conduct = Conduct.ERROR;
        } else if (lot < 125) {
            conduct = Conduct.TAKES_AND_FAILS;
        } else if (lot < 127 && lane != Lane.SINGLE && lane != Lane.MORTAL) {
            conduct = Conduct.HANGS;
            number = hurry ? 2_000 : 12_000;
        } else if (lot < 200 && lane == Lane.MORTAL) {
            conduct = Conduct.POISON;
        }
        return new Text(this.number, sequence, conduct, number, padding);
    }
}
