package dev.outbox.store.jooq.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.Store;
import dev.outbox.Stores;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Faults at exact moments, on MariaDB. */
@Tag("mariadb")
class MariaDbBatchFaultTest extends BatchFaultTest {
    MariaDbBatchFaultTest() {
        super(MySqlDatabase.MARIADB);
    }

    @Test
    void theServerEndsABatchThatIsIdleForTooLong() throws Exception {
        commit("1", "2");
        try (Store store = Stores.open(url + "&sessionVariables=idle_transaction_timeout=1");
                Store other = Stores.open(url)) {
            MessageBatch batch = store.checkout(Set.of(Settings.TOPIC), 10);
            batch.messages().forEach(message -> batch.markPublished(message, null));
            awaitPublished(other, "1", "2");
            assertThrows(HoldLostException.class, batch::close);
            batch.close();
            commit("3");
            awaitPublished(store, "3");
            assertEquals(List.of(), publishAll(other));
        }
    }
}
