package dev.outbox.spring;

import com.mongodb.ClientSessionOptions;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoDatabase;
import dev.outbox.MisuseException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.store.mongo.MongoOutbox;
import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.springframework.core.InfrastructureProxy;
import org.springframework.dao.support.PersistenceExceptionTranslator;
import org.springframework.data.mongodb.MongoDatabaseFactory;
import org.springframework.data.mongodb.MongoDatabaseUtils;

/**
 * The outbox in MongoDB, in transactions of {@code MongoTransactionManager}.
 *
 * <pre>{@code
 * @Bean
 * SpringOutbox outbox(OutboxTransactions transactions, MongoDatabaseFactory factory) {
 *     return SpringMongoOutbox.of(transactions, factory);
 * }
 * }</pre>
 *
 * <p>A publisher throws a {@code MongoException} with the label {@code TransientTransactionError} if the transaction
 * must begin again, as {@link MongoOutbox#persist} says.
 */
@SuppressWarnings("exports") // who uses it requires the store, which others do not have
public final class SpringMongoOutbox {
    private SpringMongoOutbox() {}

    /**
     * The outbox with the default names of collections.
     *
     * @param factory the one that the transaction manager has; its default database has the outbox
     */
    public static SpringOutbox of(OutboxTransactions transactions, MongoDatabaseFactory factory) {
        return of(transactions, factory, MongoOutbox::persist);
    }

    /** The same for collections with other names. */
    public static SpringOutbox of(
            OutboxTransactions transactions, MongoDatabaseFactory factory, MongoOutbox.Named names) {
        return of(transactions, factory, names::persist);
    }

    private static SpringOutbox of(
            OutboxTransactions transactions,
            MongoDatabaseFactory factory,
            BiFunction<ClientSession, MongoDatabase, PersistFunc> writing) {
        return new SpringOutbox(transactions, factory, "the MongoDatabaseFactory", new InTransaction(factory, writing));
    }

    /** In the session that the transaction manager has bound to the thread. */
    private record InTransaction(
            MongoDatabaseFactory factory, BiFunction<ClientSession, MongoDatabase, PersistFunc> writing)
            implements PersistFunc {
        @Override
        public String persist(OutgoingMessage message) {
            return current().persist(message);
        }

        @Override
        public List<String> persistAll(List<OutgoingMessage> messages) {
            return current().persistAll(messages);
        }

        private PersistFunc current() {
            ClientSession session = new SessionOfThread(factory).find();
            if (session == null) {
                throw new MisuseException("The MongoDatabaseFactory has no session in the transaction of this thread.");
            }
            return writing.apply(session, factory.getMongoDatabase());
        }
    }

    /**
     * Finds the session. Spring Data hands it to nothing but the factory that it is bound to, so this stands in for
     * that factory: as an {@link InfrastructureProxy} it has the same session. Used once, by one thread.
     */
    private static final class SessionOfThread implements MongoDatabaseFactory, InfrastructureProxy {
        private final MongoDatabaseFactory factory;
        private @Nullable ClientSession found;

        SessionOfThread(MongoDatabaseFactory factory) {
            this.factory = factory;
        }

        @Nullable
        ClientSession find() {
            MongoDatabaseUtils.getDatabase(this);
            return found;
        }

        @Override
        public MongoDatabaseFactory withSession(ClientSession session) {
            found = session;
            return factory;
        }

        @Override
        public Object getWrappedObject() {
            return factory;
        }

        @Override
        public MongoDatabase getMongoDatabase() {
            return factory.getMongoDatabase();
        }

        @Override
        public MongoDatabase getMongoDatabase(String name) {
            return factory.getMongoDatabase(name);
        }

        @Override
        public PersistenceExceptionTranslator getExceptionTranslator() {
            return factory.getExceptionTranslator();
        }

        @Override
        public ClientSession getSession(ClientSessionOptions options) {
            return factory.getSession(options);
        }
    }
}
