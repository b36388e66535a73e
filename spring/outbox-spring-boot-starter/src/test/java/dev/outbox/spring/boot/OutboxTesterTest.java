package dev.outbox.spring.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.outbox.MisuseException;
import dev.outbox.Topic;
import dev.outbox.spring.boot.test.AutoConfigureOutbox;
import dev.outbox.spring.boot.test.OutboxTester;
import java.util.List;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/** What a test of an application sees of its outbox. */
@SpringBootTest(
        classes = Applications.Shop.class,
        properties = "spring.datasource.generate-unique-name=true",
        webEnvironment = SpringBootTest.WebEnvironment.NONE)
@AutoConfigureOutbox
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class OutboxTesterTest {
    @Autowired
    Applications.PlaceOrder shop;

    @Autowired
    Topic<OrderPlaced> orders;

    @Autowired
    OutboxTester outbox;

    @Autowired
    Broker broker;

    @Autowired
    PlatformTransactionManager transactions;

    @Test
    void anOrderIsAnnouncedOnceItIsCommitted() {
        assertThrows(IllegalStateException.class, () -> shop.place("declined", true));
        shop.place("SO-1", false);
        assertEquals(List.of(new OrderPlaced("SO-1")), outbox.pending(orders));

        outbox.drain();
        assertEquals(List.of(new OrderPlaced("SO-1")), outbox.published(orders));
    }

    @Test
    void drainingTakesAllAndCallsNoBroker() {
        outbox.drain();
        shop.place("SO-1", false);
        shop.place("SO-2", false);
        assertEquals(List.of(), outbox.published(orders));
        assertEquals(2, outbox.drain());
        assertEquals(0, outbox.drain());
        assertEquals(List.of(), outbox.pending(orders));
        assertEquals(2, outbox.written(orders).size());
        assertEquals(List.of(), broker.sent);
    }

    @Test
    @Order(1)
    void leavesAMessage() {
        shop.place("left", false);
        assertEquals(1, outbox.pending(orders).size());
    }

    @Test
    @Order(2)
    void messagesOfOtherTestsAreNotShown() {
        assertEquals(List.of(), outbox.pending(orders));
        assertEquals(1, outbox.drain(), "what the other test has left");
        assertEquals(List.of(), outbox.published(orders));
    }

    @Test
    void messagesOfAnOpenTransactionAreShownAndCannotBeDrained() {
        new TransactionTemplate(transactions).executeWithoutResult(status -> {
            shop.place("SO-1", false);
            assertEquals(List.of(new OrderPlaced("SO-1")), outbox.pending(orders));
            assertThrows(MisuseException.class, () -> outbox.drain());
            status.setRollbackOnly();
        });
        assertEquals(List.of(), outbox.pending(orders));
        assertEquals(List.of(), outbox.written(orders));
    }

    @Test
    void messagesOfASavepointAreTakenAwayWithIt() {
        TransactionTemplate nested = new TransactionTemplate(transactions);
        nested.setPropagationBehavior(TransactionDefinition.PROPAGATION_NESTED);
        new TransactionTemplate(transactions).executeWithoutResult(status -> {
            nested.executeWithoutResult(first -> {
                shop.place("SO-1", false);
                first.setRollbackOnly();
            });
            shop.place("SO-2", false);
            nested.executeWithoutResult(second -> {
                shop.place("SO-3", false);
                second.setRollbackOnly();
            });
        });
        assertEquals(List.of(new OrderPlaced("SO-2")), outbox.pending(orders));
    }
}
