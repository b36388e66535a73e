package dev.outbox.store.jooq.fault;

import dev.outbox.servers.TcpProxy;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Faults of a network that only a server has, whose clients send their commits as text. */
abstract class ServerFaultTest extends FaultTest {
    private final String database;

    ServerFaultTest(String database) {
        super(database);
        this.database = database;
    }

    /** How a commit looks on the wire; other statements have the word in them too. */
    abstract Pattern commit();

    /** The URL such that commits are sent as text every time. */
    String withCommitsAsText(String address) {
        return address;
    }

    @Test
    void connectionsAreCutInTheMiddleOfTheCommit() throws Exception {
        String text = withCommitsAsText(url);
        try (TcpProxy relays = TcpProxy.before(url);
                TcpProxy writers = TcpProxy.before(url);
                History history = new History(database, "commits cut", url, Settings.USUAL)) {
            history.start(writers.route(text), relays.route(text));
            for (int i = 0; i < 3; i++) {
                for (TcpProxy.Moment moment : TcpProxy.Moment.values()) {
                    history.awaitDelivered(20);
                    history.fault("cut a relay's connection " + moment);
                    cut(relays, moment);
                    cut(writers, moment);
                }
            }
            history.awaitDelivered(20);
            history.finish();
        }
    }

    private void cut(TcpProxy proxy, TcpProxy.Moment moment) throws Exception {
        int before = proxy.sprung();
        proxy.cutAtNext(commit(), moment);
        Await.until("a commit to cut", () -> proxy.sprung() > before);
    }
}
