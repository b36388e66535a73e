package dev.outbox.store.jooq.fault;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.processes.Await;
import dev.outbox.servers.TcpProxy;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Faults of a network that only a server has, whose clients send their commits as text. */
abstract class ServerHistoryTest extends HistoryTest {
    private final Pattern commit;

    /**
     * Takes the database.
     *
     * @param commit how a commit looks on the wire; other statements have the word in them too
     */
    ServerHistoryTest(Database database, Pattern commit) {
        super(database);
        this.commit = commit;
    }

    /** The URL such that commits are sent as text every time. */
    String withCommitsAsText(String address) {
        return address;
    }

    @Test
    void connectionsAreCutInTheMiddleOfTheCommit() throws Exception {
        String text = withCommitsAsText(url);
        try (TcpProxy relays = TcpProxy.before(url);
                TcpProxy writers = TcpProxy.before(url);
                History history = history("commits cut", url, Settings.USUAL)) {
            history.start(writers.route(text), relays.route(text));
            for (int i = 0; i < 3; i++) {
                for (TcpProxy.Moment moment : TcpProxy.Moment.values()) {
                    history.awaitDelivered(20);
                    if (moment == TcpProxy.Moment.BEFORE_DELIVERY) {
                        history.fault("cut a relay's connection"); // what was done does not come again
                    }
                    cut(relays, moment);
                    cut(writers, moment);
                }
            }
            history.awaitDelivered(20);
            int duplicated = history.finish().duplicated();
            assertTrue(duplicated <= 3 * Settings.USUAL.batchSize(), duplicated + " duplicates of three batches");
        }
    }

    private void cut(TcpProxy proxy, TcpProxy.Moment moment) throws Exception {
        int before = proxy.sprung();
        proxy.cutAtNext(commit, moment);
        Await.until("a commit to cut", () -> proxy.sprung() > before);
    }
}
