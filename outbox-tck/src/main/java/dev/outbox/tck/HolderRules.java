package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Capability;
import dev.outbox.Holders;
import dev.outbox.Holders.Holder;
import dev.outbox.tck.internal.spec.Level;
import java.time.Instant;
import java.util.List;

/** An operator sees which client has which partition. */
@AtLevel(Level.CONTRACT)
interface HolderRules {
    @Rule("OBX-HOLD-1")
    default void holdersAreListed(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithout(client, Capability.HOLDERS)) {
            return;
        }
        Client other = outbox.open();
        assertEquals(List.of(), holders(outbox, other), "holders when no batch is open");
        outbox.commit(TOPIC, 10, "1");
        outbox.commit(TOPIC, 9, "2", "3");
        outbox.commit("bills", 3, "4");
        outbox.commit("Bills", 4, "5");
        Client.Batch batch = client.checkout(2, TOPIC, "unknown");
        assertEquals(2, batch.messages().size(), "messages of the batch");
        assertEquals(List.of("orders/9", "orders/10"), names(holders(outbox, other)), "holders beside a batch of two");
        try (Client.Batch second = other.await(1, "bills")) {
            assertEquals(List.of("4"), second.texts(), "the second batch");
            List<Holder> holders = holders(outbox, client);
            assertEquals(List.of("bills/3", "orders/9", "orders/10"), names(holders), "holders beside two batches");
            for (Holder holder : holders) {
                assertFalse(holder.owner().isBlank(), "the owner of " + holder + " has no name");
                Instant since = holder.since();
                Instant until = holder.until();
                assertTrue(
                        since == null || until == null || since.isBefore(until), "it ends before it began: " + holder);
            }
            second.publishAll();
        }
        batch.publishAll();
        batch.close();
        outbox.eventually(
                "no partition is listed as held after all batches were closed",
                () -> holders(outbox, other).isEmpty() ? true : null);
        Client lost = outbox.open();
        assertEquals(1, lost.await(10).messages().size(), "messages of a batch whose client goes");
        assertEquals(List.of("orders/9"), names(holders(outbox, other)), "holders before it goes");
        lost.close();
        outbox.eventually(
                "no partition is listed as held after the client of the batch was closed",
                () -> holders(outbox, other).isEmpty() ? true : null);
        assertEquals(List.of("3"), client.await(10).texts(), "what was held");
    }

    private static List<Holder> holders(TestOutbox outbox, Client client) throws Exception {
        Holders holders = client.holders();
        List<Holder> listed = outbox.promptly("Listing holders", holders::holders);
        outbox.saw(listed.size());
        return listed;
    }

    private static List<String> names(List<Holder> holders) {
        return holders.stream()
                .map(each -> each.topic() + "/" + each.partition())
                .toList();
    }
}
