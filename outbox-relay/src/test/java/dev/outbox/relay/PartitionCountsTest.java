package dev.outbox.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.outbox.OutboxListener;
import dev.outbox.Topic;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two processes that spread one topic over different numbers of partitions do not go unnoticed. */
@Timeout(300)
class PartitionCountsTest {
    private final Fixture fixture = new Fixture();
    private final Fixture.Broker broker = new Fixture.Broker();
    private final List<OutboxListener.Misplaced> told = new CopyOnWriteArrayList<>();

    private Relay relay(Topic.Builder<String> topic) {
        return Fixture.relay(fixture.store)
                .topic(topic.publisher(d -> broker.take(d.message())).build())
                .listener(new OutboxListener() {
                    @Override
                    public void misplaced(Misplaced event) {
                        told.add(event);
                    }
                })
                .build();
    }

    private static String[] messages() {
        String[] messages = new String[20];
        for (int i = 0; i < 20; i++) {
            messages[i] = "key" + i + ":text";
        }
        return messages;
    }

    @Test
    void anotherNumberIsSaidOnceForEachTopic() {
        fixture.commit(Fixture.topic("orders").partitions(5).build(), messages());
        try (Relay relay = relay(Fixture.topic("orders").partitions(8))) {
            assertEquals(List.of(), relay.state().misplaced());
            while (relay.processMessages(100).published() > 0) {
                // all of them are published
            }
            assertEquals(List.of("orders"), relay.state().misplaced());
        }
        assertEquals(20, broker.received().size());
        assertEquals(1, told.size(), "events");
        assertEquals(8, told.get(0).partitions());
    }

    @Test
    void theSameNumberIsNotMentioned() {
        fixture.commit(Fixture.topic("orders").partitions(8).build(), messages());
        try (Relay relay = relay(Fixture.topic("orders").partitions(8))) {
            while (relay.processMessages(100).published() > 0) {
                // all of them
            }
            assertEquals(List.of(), relay.state().misplaced());
        }
        assertEquals(20, broker.received().size());
        assertEquals(List.of(), told);
    }

    /** They have no order to lose, whatever number their writer knew. */
    @Test
    void messagesWithoutAKeyAreInPlaceInAnyPartition() {
        Topic.Builder<String> topic = Fixture.topic("orders").key(m -> null);
        fixture.commit(topic.partitions(8).build(), messages());
        try (Relay relay = relay(Fixture.topic("orders").key(m -> null).partitions(4))) {
            while (relay.processMessages(100).published() > 0) {
                // all of them
            }
            assertEquals(List.of(), relay.state().misplaced());
        }
        assertEquals(20, broker.received().size());
    }
}
