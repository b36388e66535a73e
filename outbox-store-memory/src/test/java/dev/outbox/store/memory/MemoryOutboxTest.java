package dev.outbox.store.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Codecs;
import dev.outbox.ConfigurationException;
import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.Outbox;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.Topic;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What users of the outbox in memory do with it; that it keeps the contract is tested by the TCK, in {@code outbox-tck}. */
class MemoryOutboxTest {
    private final Topic<String> topic = Topic.builder("orders", Codecs.text()).build();

    @Test
    void whatWasCommittedIsHandedOut() throws Exception {
        MemoryOutbox outbox = new MemoryOutbox();
        try (MemoryTransaction tx = outbox.begin()) {
            Outbox.bind(topic, MemoryOutbox.persist(tx)).publish("kept");
            tx.commit();
        }
        try (MemoryTransaction tx = outbox.begin()) {
            Outbox.bind(topic, MemoryOutbox.persist(tx)).publish("rolled back");
            tx.rollback();
        }
        try (MemoryTransaction tx = outbox.begin()) {
            Outbox.bind(topic, MemoryOutbox.persist(tx)).publish("closed");
        }
        try (Store store = outbox.store();
                MessageBatch batch = store.checkout(Set.of("orders"), 100)) {
            List<String> texts = batch.messages().stream()
                    .map(message -> new String(message.payload(), StandardCharsets.UTF_8))
                    .toList();
            assertEquals(List.of("kept"), texts);
        }
    }

    @Test
    void aTransactionEndsOnce() {
        MemoryTransaction tx = new MemoryOutbox().begin();
        tx.commit();
        tx.close();
        assertThrows(MisuseException.class, tx::commit);
        assertThrows(MisuseException.class, tx::rollback);
        assertThrows(
                MisuseException.class,
                () -> Outbox.bind(topic, MemoryOutbox.persist(tx)).publish("late"));
    }

    @Test
    void aUrlNamesAnOutbox() throws Exception {
        try (MemoryTransaction tx = MemoryOutbox.named("shop").begin()) {
            Outbox.bind(topic, MemoryOutbox.persist(tx)).publish("here");
            tx.commit();
        }
        try (Store store = Stores.open("memory:shop", StoreOptions.defaults().withCreateSchema(true));
                Store other = Stores.open("memory:other")) {
            assertEquals(1, Operations.of(store).backlog().size(), "of the named outbox");
            assertEquals(List.of(), Operations.of(other).backlog(), "of another");
        }
    }

    @Test
    void whatCannotBeOpenedIsSaid() {
        for (String url : List.of("memory:", "memory://host/shop")) {
            String text = assertThrows(ConfigurationException.class, () -> Stores.open(url))
                    .getMessage();
            assertTrue(text != null && text.contains("expected memory:NAME"), text);
        }
        StoreOptions unknown = StoreOptions.defaults().with("prefix", "a");
        assertThrows(ConfigurationException.class, () -> Stores.open("memory:shop", unknown));
    }
}
