package dev.outbox.store.mongo;

import static dev.outbox.store.mongo.TestOutbox.TOPIC;
import static dev.outbox.store.mongo.TestOutbox.eventually;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.ClientSession;
import com.mongodb.client.model.Updates;
import dev.outbox.servers.MongoServer;
import dev.outbox.store.support.LeaseClock;
import java.time.Duration;
import java.util.List;
import org.bson.Document;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** When a process relies on its leases, and what keeps them alive. */
@Tag("mongo")
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LeasesTest {
    @Test
    void aClaimIsCountedFromTheLatestRenewalThatWasAnswered() {
        Claim claim = new Claim(List.of(new Lane(TOPIC, 0)), Duration.ofMinutes(1));
        assertTrue(claim.isTrusted());
        LeaseClock now = LeaseClock.now();
        claim.renewed(new LeaseClock(now.nanos() + 1_000_000_000L, now.millis() + 1_000));
        Duration left = claim.trustLeft();
        claim.renewed(now); // was sent before, and answered after
        assertTrue(claim.trustLeft().compareTo(left.minusMillis(900)) > 0, "an older renewal took time away");
        claim.lose();
        assertFalse(claim.isTrusted());
        assertFalse(new Claim(List.of(), Duration.ofNanos(-1)).isTrusted());
    }

    /** Such as an update that waits for a transaction of others, or an answer that never comes. */
    @Test
    void aRenewalThatHangsKeepsNoOtherFromBeingRenewed() throws Exception {
        Duration lease = Duration.ofSeconds(2);
        Lane stuck = new Lane(TOPIC, 0);
        Lane well = new Lane(TOPIC, 1);
        try (TestOutbox outbox = new TestOutbox(MongoServer.shared());
                ClientSession session = outbox.client.startSession();
                ClientSession others = outbox.client.startSession()) {
            OutboxCollections collections = OutboxCollections.of(outbox.database, MongoOutbox.DEFAULT_PREFIX);
            Partitions partitions = new Partitions(collections.partitions(), "test", lease);
            try (Leases leases = new Leases(
                    partitions, new Takeover(outbox.client, new Primary(outbox.client), collections), lease)) {
                partitions.add(List.of(stuck, well));
                Claim hangs = take(partitions, session, stuck, leases);
                others.startTransaction();
                collections.partitions().updateOne(others, new Document("_id", stuck.id()), Updates.set("x", 1));
                leases.add(hangs);
                eventually("its renewal hangs", () -> updatesRunning(outbox) > 0 ? true : null);
                leases.remove(hangs);
                Claim renewed = take(partitions, session, well, leases);
                String before = String.valueOf(outbox.partition(1).get("leaseUntil"));
                leases.add(renewed);
                eventually(
                        "the other is renewed",
                        () -> before.equals(String.valueOf(outbox.partition(1).get("leaseUntil"))) ? null : true);
                assertTrue(renewed.isTrusted());
                assertTrue(updatesRunning(outbox) > 0, "the renewal that hung had ended before");
                others.abortTransaction();
            }
        }
    }

    private static Claim take(Partitions partitions, ClientSession session, Lane lane, Leases leases) {
        Claim claim = new Claim(List.of(lane), leases.trust());
        assertNotNull(partitions.take(session, lane, claim.fence), "the partition");
        return claim;
    }

    private static int updatesRunning(TestOutbox outbox) {
        int running = 0;
        for (Document ignored : outbox.client
                .getDatabase("admin")
                .aggregate(List.of(
                        new Document("$currentOp", new Document()),
                        new Document(
                                "$match",
                                new Document("op", "update").append("ns", outbox.name() + ".outbox_partitions"))))) {
            running++;
        }
        return running;
    }
}
