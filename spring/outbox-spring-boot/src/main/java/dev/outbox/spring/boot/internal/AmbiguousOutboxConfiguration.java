package dev.outbox.spring.boot.internal;

import dev.outbox.ConfigurationException;
import dev.outbox.spring.SpringOutbox;
import dev.outbox.store.jooq.JdbcOutbox;
import dev.outbox.store.mongo.MongoOutbox;
import javax.sql.DataSource;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.data.mongodb.MongoDatabaseFactory;
import org.springframework.jdbc.datasource.DataSourceUtils;

/** Two databases could have the outbox, and nothing says which one. So an application that publishes does not start. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnClass({DataSourceUtils.class, JdbcOutbox.class, MongoDatabaseFactory.class, MongoOutbox.class})
@ConditionalOnBean({DataSource.class, MongoDatabaseFactory.class})
@ConditionalOnMissingBean(SpringOutbox.class)
@ConditionalOnProperty(name = "outbox.store.type", havingValue = "not set", matchIfMissing = true)
class AmbiguousOutboxConfiguration {
    @Bean
    SpringOutbox springOutbox() {
        throw new ConfigurationException(
                "The outbox could be in the SQL database or in MongoDB, because the application"
                        + " has both and the stores for both. Set outbox.store.type to jdbc or to mongo.");
    }
}
