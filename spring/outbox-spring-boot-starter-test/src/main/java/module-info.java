import org.jspecify.annotations.NullMarked;

/** For tests of applications of Spring Boot 3.5 and 4: shows what they publish, without threads and brokers. */
@NullMarked
module dev.outbox.spring.boot.test {
    exports dev.outbox.spring.boot.test;

    opens dev.outbox.spring.boot.test;

    requires transitive dev.outbox;
    requires dev.outbox.relay;
    requires dev.outbox.spring;
    requires dev.outbox.spring.boot;
    requires spring.beans;
    requires spring.boot.autoconfigure;
    requires spring.context;
    requires spring.core;
    requires spring.test;
    requires spring.tx;
    requires static transitive org.jspecify;
}
