package dev.outbox.conformance;

import static java.util.Objects.requireNonNull;

import com.tngtech.archunit.ArchConfiguration;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * Groups of things in which each needs each other, directly or by way of others. A nested class counts as the one around it, since
 * both are one file. Constants of primitive types and texts are copied by the compiler, and are no need.
 */
final class Knots {
    private final Map<String, Set<String>> needs;
    private final Map<String, Integer> numbers = new TreeMap<>();
    private final Map<String, Integer> lowest = new TreeMap<>();
    private final Deque<String> path = new ArrayDeque<>();
    private final List<Set<String>> found = new ArrayList<>();

    private Knots(Map<String, Set<String>> needs) {
        this.needs = needs;
    }

    /** Of packages, in the classes of a folder. */
    static List<Set<String>> ofPackages(Path classes) {
        return in(graph(classes, JavaClass::getPackageName));
    }

    /** Of classes in one package, in the classes of a folder. */
    static List<Set<String>> ofClasses(Path classes) {
        return in(graph(classes, type -> outermost(type).getName()));
    }

    /** The groups of more than one, by Tarjan's algorithm. */
    static List<Set<String>> in(Map<String, Set<String>> needs) {
        Knots knots = new Knots(needs);
        needs.keySet().stream().filter(name -> !knots.numbers.containsKey(name)).forEach(knots::visit);
        return knots.found;
    }

    private void visit(String name) {
        int number = numbers.size();
        numbers.put(name, number);
        lowest.put(name, number);
        path.push(name);
        for (String needed : needs.getOrDefault(name, Set.of())) {
            if (!numbers.containsKey(needed)) {
                visit(needed);
                lowest.merge(name, requireNonNull(lowest.get(needed)), Math::min);
            } else if (path.contains(needed)) {
                lowest.merge(name, requireNonNull(numbers.get(needed)), Math::min);
            }
        }
        if (requireNonNull(lowest.get(name)) == number) {
            Set<String> group = new TreeSet<>();
            String last;
            do {
                last = path.pop();
                group.add(last);
            } while (!last.equals(name));
            if (group.size() > 1) {
                found.add(group);
            }
        }
    }

    private static Map<String, Set<String>> graph(Path classes, Function<JavaClass, String> name) {
        ArchConfiguration.get().setResolveMissingDependenciesFromClassPath(false);
        Map<String, Set<String>> needs = new TreeMap<>();
        Set<JavaClass> all = Set.copyOf(new ClassFileImporter().importPath(classes));
        for (JavaClass type : all) {
            Set<String> needed = needs.computeIfAbsent(name.apply(type), key -> new TreeSet<>());
            for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
                JavaClass target = dependency.getTargetClass().getBaseComponentType();
                if (all.contains(target)) {
                    needed.add(name.apply(target));
                }
            }
            needed.remove(name.apply(type));
        }
        return needs;
    }

    private static JavaClass outermost(JavaClass type) {
        return type.getEnclosingClass().map(Knots::outermost).orElse(type);
    }
}
