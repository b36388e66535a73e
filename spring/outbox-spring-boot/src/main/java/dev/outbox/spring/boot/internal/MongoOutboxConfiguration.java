package dev.outbox.spring.boot.internal;

import com.mongodb.client.MongoClient;
import dev.outbox.Store;
import dev.outbox.spring.OutboxTransactions;
import dev.outbox.spring.SpringMongoOutbox;
import dev.outbox.spring.SpringOutbox;
import dev.outbox.store.mongo.MongoOutbox;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.data.mongodb.MongoDatabaseFactory;

/** An outbox in the application's database of MongoDB. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnClass({MongoOutbox.class, MongoDatabaseFactory.class})
@ConditionalOnSingleCandidate(MongoDatabaseFactory.class)
@ConditionalOnMissingBean(SpringOutbox.class)
@ConditionalOnProperty(name = "outbox.store.type", havingValue = "mongo", matchIfMissing = true)
class MongoOutboxConfiguration {
    @Bean
    SpringOutbox springOutbox(
            OutboxTransactions transactions, MongoDatabaseFactory factory, OutboxProperties properties) {
        return SpringMongoOutbox.of(transactions, factory, names(properties));
    }

    /**
     * Opened when a relay or an operator needs it, or to create the schema. An application that only publishes need not
     * have the rights.
     */
    @Bean(destroyMethod = "close")
    @ConditionalOnMissingBean
    @Lazy
    Store outboxStore(MongoClient client, MongoDatabaseFactory factory, OutboxProperties properties) {
        return names(properties)
                .store(client, factory.getMongoDatabase().getName(), StoreSettings.options(properties.store()));
    }

    private static MongoOutbox.Named names(OutboxProperties properties) {
        String prefix = properties.store().prefix();
        return MongoOutbox.named(prefix == null ? MongoOutbox.DEFAULT_PREFIX : prefix);
    }
}
