package dev.outbox.store.jooq.fault;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.servers.TcpProxy;
import java.sql.Connection;
import java.sql.DriverManager;
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

    /** Not on H2: its ABORT_SESSION may undo a transaction whose commit it acknowledges, the application's rows too. */
    @Test
    void anAdministratorEndsAllSessions() throws Exception {
        try (Connection administrator = DriverManager.getConnection(url);
                History history = history("sessions ended", url, Settings.USUAL)) {
            history.start(url, url);
            for (int i = 0; i < 4; i++) {
                history.awaitDelivered(50);
                history.fault("end all sessions");
                database.endSessions(administrator);
            }
            history.awaitDelivered(50);
            history.finish();
        }
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
