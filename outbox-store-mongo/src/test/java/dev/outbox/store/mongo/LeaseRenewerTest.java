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
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LeaseRenewerTest {
    @Test
    void aClaimIsCountedFromTheLatestRenewalThatWasAnswered() {
        Hold hold = new Hold(List.of(new Partition(TOPIC, 0)), Duration.ofMinutes(1));
        assertTrue(hold.isTrusted());
        LeaseClock now = LeaseClock.now();
        hold.renewed(new LeaseClock(now.nanos() + 1_000_000_000L, now.millis() + 1_000));
        Duration left = hold.trustLeft();
        hold.renewed(now); // was sent before, and answered after
        assertTrue(hold.trustLeft().compareTo(left.minusMillis(900)) > 0, "an older renewal took time away");
        hold.lose();
        assertFalse(hold.isTrusted());
        assertFalse(new Hold(List.of(), Duration.ofNanos(-1)).isTrusted());
    }

    /** Such as an update that waits for a transaction of others, or an answer that never comes. */
    @Test
    void aRenewalThatHangsKeepsNoOtherFromBeingRenewed() throws Exception {
        Duration lease = Duration.ofSeconds(2);
        Partition stuck = new Partition(TOPIC, 0);
        Partition well = new Partition(TOPIC, 1);
        try (TestOutbox outbox = new TestOutbox(MongoServer.shared());
                ClientSession session = outbox.client.startSession();
                ClientSession others = outbox.client.startSession()) {
            OutboxCollections collections = OutboxCollections.of(outbox.database, MongoOutbox.DEFAULT_PREFIX);
            PartitionDocuments partitionDocuments = new PartitionDocuments(collections.partitions(), "test", lease);
            try (LeaseRenewer leaseRenewer = new LeaseRenewer(
                    partitionDocuments,
                    new ExpiredHolds(outbox.client, new Primary(outbox.client), collections),
                    lease)) {
                partitionDocuments.add(List.of(stuck, well));
                Hold hangs = take(partitionDocuments, session, stuck, leaseRenewer);
                others.startTransaction();
                collections.partitions().updateOne(others, new Document("_id", stuck.id()), Updates.set("x", 1));
                leaseRenewer.add(hangs);
                eventually("its renewal hangs", () -> updatesRunning(outbox) > 0 ? true : null);
                leaseRenewer.remove(hangs);
                Hold renewed = take(partitionDocuments, session, well, leaseRenewer);
                String before = String.valueOf(outbox.partition(1).get("leaseUntil"));
                leaseRenewer.add(renewed);
                eventually(
                        "the other is renewed",
                        () -> before.equals(String.valueOf(outbox.partition(1).get("leaseUntil"))) ? null : true);
                eventually("it is trusted", () -> renewed.isTrusted() ? true : null);
                assertTrue(updatesRunning(outbox) > 0, "the renewal that hung had ended before");
                others.abortTransaction();
            }
        }
    }

    private static Hold take(
            PartitionDocuments partitionDocuments,
            ClientSession session,
            Partition partition,
            LeaseRenewer leaseRenewer) {
        Hold hold = new Hold(List.of(partition), leaseRenewer.trust());
        assertNotNull(partitionDocuments.take(session, partition, hold.fence), "the partition");
        return hold;
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
