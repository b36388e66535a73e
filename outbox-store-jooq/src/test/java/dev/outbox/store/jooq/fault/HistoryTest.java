package dev.outbox.store.jooq.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.processes.Await;
import dev.outbox.servers.Clock;
import dev.outbox.servers.KillableServer;
import dev.outbox.servers.TcpProxy;
import dev.outbox.store.jooq.internal.close.SignsOfLife;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Histories under faults, on every database. How long they are is set by two properties:
 * {@code outbox.fault.seconds} (by default 4), of the history without faults, and {@code outbox.fault.pause} (by default
 * 0), for how many seconds at least a relay stands still.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES) // for a server that hangs; every wait has its own limit
abstract class HistoryTest {
    private static final Duration LENGTH = Duration.ofSeconds(Integer.getInteger("outbox.fault.seconds", 4));
    private static final Duration PAUSE = Duration.ofSeconds(Integer.getInteger("outbox.fault.pause", 0));

    /** For so long, a store does not ask whether a batch is still there. Later the server has to answer. */
    private static final Duration UNASKED = SignsOfLife.trust().dividedBy(2);

    final Database database;
    String url = "";

    HistoryTest(Database database) {
        this.database = database;
    }

    @BeforeEach
    void create() throws Exception {
        url = database.create();
    }

    @AfterEach
    void drop() throws Exception {
        database.drop(url);
    }

    History history(String fault, String address, Settings settings) throws Exception {
        return new History(database, fault, address, settings);
    }

    @Test
    void withoutFaultsNothingFailsAndNothingComesTwice() throws Exception {
        try (History history = history("none", url, Settings.USUAL)) {
            long deadlocks = database.deadlocks(url);
            history.start(url, url);
            long end = System.nanoTime() + LENGTH.toNanos();
            while (System.nanoTime() - end < 0) {
                history.awaitDelivered(10);
            }
            Verdict verdict = history.finish();
            assertEquals(0, verdict.duplicated(), "duplicates");
            assertEquals(0, verdict.unknown(), "unknown outcomes");
            assertEquals(List.of(), history.find(0, line -> line.kind() == 'X'), "failures of the store");
            assertEquals(List.of(), List.copyOf(history.failures()), "failures of writers");
            assertEquals(deadlocks, database.deadlocks(url), "deadlocks");
        }
    }

    @Test
    void theNetworkStandsStillAndGoesOn() throws Exception {
        try (TcpProxy first = TcpProxy.before(url);
                History history = history("network stalled", url, Settings.SMALL_BATCHES)) {
            history.start(url, first.route(url), url);
            RelayProcess relay = history.relay(1);
            long start = System.nanoTime();
            Line held = hold(history, relay);
            history.fault("stall " + relay.name());
            first.stall();
            relay.tell("go");
            int now = history.now();
            awaitOthers(history, now, relay, held);
            first.heal();
            boolean isShort = System.nanoTime() - start < UNASKED.toNanos();
            history.awaitLines("messages from " + relay.name(), history.now(), line -> line.is('D', relay.name()), 50);
            Verdict verdict = history.finish();
            if (isShort || history.find(0, line -> isHoldLost(line, relay)).isEmpty()) {
                assertEquals(0, verdict.duplicated(), "duplicates, for no hold was lost");
            }
        }
    }

    /** Its batch stays its own for as long as its connection lives, and nobody else gets what is in it. */
    @Test
    void aRelayIsPaused() throws Exception {
        try (History history = history("relay paused", url, Settings.SMALL_BATCHES)) {
            history.start(url, url);
            RelayProcess relay = history.relay(1);
            Line held = hold(history, relay);
            relay.pause();
            int now = history.now();
            awaitOthers(history, now, relay, held);
            relay.resume();
            relay.tell("go");
            history.awaitLines("messages from " + relay.name(), history.now(), line -> line.is('D', relay.name()), 50);
            assertEquals(0, history.finish().duplicated(), "duplicates, for no hold was lost");
        }
    }

    /**
     * Those of the relays and that of the server, which decides when a partition that failed is ready again: so every
     * message fails while it is moved, and nothing is to wait until it is that late again.
     */
    @Test
    void clocksAreSetBack() throws Exception {
        try (Clock ofRelays = Clock.real();
                Clock ofServer = Clock.real()) {
            ofServer.set(Duration.ofDays(2));
            try (KillableServer server = database.ownServer(ofServer)) {
                String address = server.newDatabase();
                try (History history = history("clocks set back", address, Settings.USUAL)) {
                    history.relaysGoBy(ofRelays);
                    history.start(address, address);
                    assertTrue(ahead(address).toHours() > 24, "the server's clock before");
                    int now = history.now();
                    tellBoth(history, "fail");
                    ofRelays.set(Duration.ofDays(-2));
                    ofServer.set(Duration.ZERO);
                    Await.until(
                            "the server's clock to be set back",
                            () -> ahead(address).toHours() < 24);
                    tellBoth(history, "go");
                    for (int relay = 1; relay <= 2; relay++) {
                        String name = history.relay(relay).name();
                        history.awaitLines("messages from " + name, now, line -> line.is('D', name), 50);
                    }
                    assertEquals(0, history.finish().duplicated(), "duplicates, for no hold was lost");
                }
            }
        }
    }

    /** Whatever the server's time zone is: give or take a day. */
    private static Duration ahead(String address) throws Exception {
        return Duration.between(Instant.now(), Sql.time(address));
    }

    private static void tellBoth(History history, String command) throws Exception {
        history.relay(1).tell(command);
        history.relay(2).tell(command);
    }

    /** It wakes up with a batch that others have long had, publishes on, and must not settle. */
    @Test
    void aPausedRelayLosesItsConnection() throws Exception {
        try (TcpProxy first = TcpProxy.before(url);
                History history = history("relay paused and cut", url, Settings.SMALL_BATCHES)) {
            history.start(url, first.route(url), url);
            RelayProcess relay = history.relay(1);
            Line held = hold(history, relay);
            relay.pause();
            int now = history.now();
            history.fault("cut " + relay.name());
            first.cut();
            String other = history.relay(2).name();
            history.awaitLines(
                    "another relay takes over " + held,
                    now,
                    line -> line.is('D', other) && line.field(4).equals(held.field(2)),
                    1);
            history.awaitDelivered(50);
            now = history.now();
            relay.resume();
            relay.tell("go");
            Line refused = history.awaitLines(
                    "a close that fails",
                    now,
                    line -> line.is('X', relay.name()) && line.field(1).equals("CLOSE"),
                    1);
            assertTrue(isHoldLost(refused, relay), refused.toString());
            history.awaitLines("messages from " + relay.name(), now, line -> line.is('D', relay.name()), 50);
            history.finish();
        }
    }

    private static boolean isHoldLost(Line line, RelayProcess relay) {
        return line.is('X', relay.name())
                && line.field(1).equals("CLOSE")
                && line.field(2).contains("HoldLostException");
    }

    /** Has a relay stand still in the middle of a batch; returns what it has in hand. */
    private static Line hold(History history, RelayProcess relay) throws Exception {
        history.awaitDelivered(50);
        int now = history.now();
        relay.tell("hold");
        return history.awaitLines("a message in hand", now, line -> line.is('H', relay.name()), 1);
    }

    /** Waits until all others have gone on for long enough, and makes sure that nobody had the partition that is held. */
    private static void awaitOthers(History history, int behind, RelayProcess relay, Line held) throws Exception {
        long end = System.nanoTime() + PAUSE.toNanos();
        history.awaitLines("messages of others", behind, line -> line.kind() == 'D', 200);
        while (System.nanoTime() - end < 0) {
            history.awaitDelivered(10);
        }
        assertEquals(
                List.of(),
                history.find(
                        behind,
                        line -> line.kind() == 'D'
                                && !line.field(0).equals(relay.name())
                                && line.field(2).equals(held.field(1))),
                "deliveries by others from the partition that " + relay.name() + " holds");
    }
}
