(** * From decks of k-subsets to sums over all tuples

    The k-deck of a ring is the multiset of its k-element subsets, each known up to rotation.  If two rings
    have the same k-deck, every rotation-invariant function has the same sum over the m-tuples of either,
    for all m <= k, repetition allowed.  This turns the hypothesis of the lifting theorem into the
    statement about subsets in which Theorem B is usually quoted.

    Idea.  (1) An m-tuple of distinct places extends to the same number binomial (N - m, k - m) of k-subsets,
    so sums over such tuples are read off the k-deck.  (2) A tuple with repetitions is a tuple of distinct
    places followed by choices among the places already used. *)

Require Import Reals Lra List Permutation Arith Lia.
Import ListNotations.
From Symtrip Require Import Space Environments TupleSums TwoRings.
Open Scope R_scope.

Section Arrangements.
Context {A : Type}.

(** Every way to take one element out of a list, with what is left. *)
Fixpoint selects (l : list A) : list (A * list A) :=
  match l with
  | [] => []
  | x :: l => (x, l) :: map (fun p => (fst p, x :: snd p)) (selects l)
  end.

Fixpoint combinations (k : nat) (l : list A) : list (list A) :=
  match k, l with
  | O, _ => [[]]
  | S _, [] => []
  | S k', x :: l => map (cons x) (combinations k' l) ++ combinations k l
  end.

Lemma combinations_0 l : combinations 0 l = [[]].
Proof. destruct l; reflexivity. Qed.

(** Sum over the tuples of j distinct places; [F] also receives the elements left over. *)
Fixpoint asum (j : nat) (F : list A -> list A -> R) (l : list A) : R :=
  match j with
  | O => F [] l
  | S j => lsum (fun p => asum j (fun u => F (fst p :: u)) (snd p)) (selects l)
  end.

Lemma selects_permutation l p : In p (selects l) -> Permutation (fst p :: snd p) l.
Proof.
  revert p; induction l as [|x l IH]; intros p H; [contradiction|]. destruct H as [<-|H]; [reflexivity|].
  apply in_map_iff in H as (q & <- & Hq). simpl. rewrite perm_swap. constructor. auto.
Qed.

Lemma selects_length l p : In p (selects l) -> S (length (snd p)) = length l.
Proof. intro H. apply selects_permutation, Permutation_length in H. exact H. Qed.

Lemma lsum_selects f l : lsum f l = lsum (fun p => f (fst p)) (selects l).
Proof. induction l; simpl; trivial. rewrite lsum_map, IHl; trivial. Qed.

Lemma asum_ext j F G l :
  (forall u r, length u = j -> Permutation (u ++ r) l -> F u r = G u r) -> asum j F l = asum j G l.
Proof.
  revert F G l; induction j; simpl; intros F G l H; [apply H; trivial|].
  apply lsum_ext; intros p Hp. apply IHj; intros u r L P. apply H; [simpl; congruence|].
  rewrite <- (selects_permutation _ _ Hp), <- P. reflexivity.
Qed.

Lemma asum_plus j F G l : asum j (fun u r => F u r + G u r) l = asum j F l + asum j G l.
Proof.
  revert F G l; induction j; simpl; intros; trivial. rewrite <- lsum_plus. apply lsum_ext; auto.
Qed.

(** Choosing a subset and then one of its elements is choosing an element and then the rest. *)
Lemma select_from_combinations k (F : A -> list A -> R) l :
  lsum (fun K => lsum (fun p => F (fst p) (snd p)) (selects K)) (combinations (S k) l) =
  lsum (fun p => lsum (F (fst p)) (combinations k (snd p))) (selects l).
Proof.
  revert k F; induction l as [|y l IH]; intros k F; [reflexivity|].
  change (combinations (S k) (y :: l)) with (map (cons y) (combinations k l) ++ combinations (S k) l).
  rewrite lsum_app, !lsum_map, IH. simpl. rewrite lsum_map. simpl. destruct k as [|k].
  - rewrite combinations_0. simpl. rewrite !Rplus_0_r. f_equal.
    apply lsum_ext; intros p _. rewrite !combinations_0. reflexivity.
  - rewrite lsum_plus, Rplus_assoc. f_equal.
    transitivity (lsum (fun p => lsum (fun K => F (fst p) (y :: K)) (combinations k (snd p)) +
                                 lsum (F (fst p)) (combinations (S k) (snd p))) (selects l)).
    + rewrite lsum_plus. f_equal. rewrite <- (IH k (fun x K => F x (y :: K))).
      apply lsum_ext; intros K _. rewrite lsum_map. reflexivity.
    + apply lsum_ext; intros p _. rewrite lsum_app, lsum_map. reflexivity.
Qed.

Fixpoint binomial (n k : nat) : nat :=
  match k, n with
  | O, _ => 1
  | S _, O => 0
  | S k', S n => binomial n k' + binomial n k
  end.

Lemma binomial_pos n k : (k <= n)%nat -> (0 < binomial n k)%nat.
Proof.
  revert k; induction n; intros [|k] H; simpl; try lia. specialize (IHn k); lia.
Qed.

Lemma combinations_length k l : length (combinations k l) = binomial (length l) k.
Proof.
  revert k; induction l as [|x l IH]; intros [|k]; trivial. simpl.
  rewrite app_length, map_length, !IH; trivial.
Qed.

Lemma asum_over_combinations m d (F : list A -> R) l :
  lsum (asum m (fun u _ => F u)) (combinations (m + d) l) =
  INR (binomial (length l - m) d) * asum m (fun u _ => F u) l.
Proof.
  revert F l; induction m; intros F l.
  - rewrite Nat.sub_0_r, <- combinations_length. apply (lsum_const (F [])). 
  - simpl. rewrite (select_from_combinations (m + d) (fun x K => asum m (fun u _ => F (x :: u)) K)).
    rewrite <- lsum_scal. apply lsum_ext; intros p Hp. rewrite IHm.
    apply selects_length in Hp. do 3 f_equal. lia.
Qed.

(** ** Sums over distinct places are symmetric functions of the list *)

Lemma selects_sum_permutation (F : A -> list A -> R) l m :
  (forall x r s, Permutation r s -> F x r = F x s) -> Permutation l m ->
  lsum (fun p => F (fst p) (snd p)) (selects l) = lsum (fun p => F (fst p) (snd p)) (selects m).
Proof.
  intros HF P. revert F HF. induction P as [|x l m P IH|x y l|l m n P1 IH1 P2 IH2]; intros F HF; simpl.
  - trivial.
  - rewrite !lsum_map. simpl. rewrite (HF x l m P). f_equal.
    apply (IH (fun y r => F y (x :: r))). intros; apply HF; constructor; trivial.
  - rewrite !map_map, !lsum_map; simpl.
    rewrite (lsum_ext (fun a => F (fst a) (y :: x :: snd a)) (fun a => F (fst a) (x :: y :: snd a)));
      [lra | intros; apply HF, perm_swap].
  - rewrite IH1; auto.
Qed.

Lemma asum_permutation m (F : list A -> R) l l' :
  Permutation l l' -> asum m (fun u _ => F u) l = asum m (fun u _ => F u) l'.
Proof.
  revert F l l'; induction m; intros F l l' P; simpl; trivial.
  apply (selects_sum_permutation (fun x r => asum m (fun u _ => F (x :: u)) r)); trivial.
  intros; apply IHm; trivial.
Qed.

(** ** Repetition: either an element already used or a new one *)

Lemma asum_used_or_new j (F : list A -> A -> R) d l :
  asum j (fun u _ => lsum (F u) l) l =
  asum j (fun u _ => lsum (F u) u) l + asum (S j) (fun u _ => F (removelast u) (last u d)) l.
Proof.
  transitivity (asum j (fun u _ => lsum (F u) u) l + asum j (fun u r => lsum (F u) r) l).
  { rewrite <- asum_plus. apply asum_ext; intros u r _ P.
    rewrite <- lsum_app. apply lsum_permutation. symmetry; exact P. }
  f_equal. revert F l; induction j; intros F l.
  - simpl. apply lsum_selects.
  - cbn [asum]. apply lsum_ext; intros p _. rewrite (IHj (fun u => F (fst p :: u))). cbn [asum].
    apply lsum_ext; intros q _. apply asum_ext; intros u r _ _. reflexivity.
Qed.
End Arrangements.

Lemma selects_related {A B} (Rel : A -> B -> Prop) l m :
  Forall2 Rel l m ->
  Forall2 (fun p q => Rel (fst p) (fst q) /\ Forall2 Rel (snd p) (snd q)) (selects l) (selects m).
Proof.
  induction 1 as [|x y l m H HF IH]; simpl; constructor; simpl; auto.
  clear HF. induction IH as [|p q ps qs [] _ IH']; simpl; constructor; simpl; auto.
Qed.

Lemma lsum_related {A B} (Rel : A -> B -> Prop) F G l m :
  Forall2 Rel l m -> (forall x y, Rel x y -> F x = G y) -> lsum F l = lsum G m.
Proof. intros E H. induction E; simpl; trivial. rewrite (H _ _ H0), IHE; trivial. Qed.

Lemma asum_related {A B} (Rel : A -> B -> Prop) n F G l m :
  Forall2 Rel l m -> (forall t u, Forall2 Rel t u -> F t = G u) ->
  asum n (fun u _ => F u) l = asum n (fun u _ => G u) m.
Proof.
  revert F G l m; induction n; intros F G l m E H; simpl; [apply H; constructor|].
  apply (lsum_related _ _ _ _ _ (selects_related _ _ _ E)). intros p q [].
  apply IHn; trivial. intros; apply H; constructor; trivial.
Qed.

Lemma last_related {A B} (Rel : A -> B -> Prop) d e x y l m :
  Forall2 Rel (x :: l) (y :: m) ->
  Rel (last (x :: l) d) (last (y :: m) e) /\ Forall2 Rel (removelast (x :: l)) (removelast (y :: m)).
Proof.
  revert x y m; induction l as [|x' l IH]; intros x y m H; inversion H as [|? ? ? ? Hxy E]; subst.
  - inversion E; subst. simpl; auto.
  - destruct m as [|y' m]; [inversion E|]. destruct (IH x' y' m E) as [L R].
    split; [exact L|]. constructor; trivial.
Qed.

(** ** Rings *)

(** [rotated t u]: the subsets t and u of the circle are related by a rotation. *)
Definition shifted (a : R) (p q : R) := same_direction (a + p) q.
Definition rotated (t u : list R) := exists a v, Permutation v u /\ Forall2 (shifted a) t v.

(** Equal k-decks: a bijection of the k-subsets under which partners are related by rotations. *)
Definition same_deck (k : nat) (ps qs : list R) :=
  exists D, Permutation D (combinations k qs) /\ Forall2 rotated (combinations k ps) D.

Lemma shift_invariant_shifted g a t u : shift_invariant g -> Forall2 (shifted a) t u -> g t = g u.
Proof.
  intros [shift dir] E. rewrite <- (shift a t). apply dir.
  induction E; simpl; constructor; trivial.
Qed.

(** A function of used places and a tuple, invariant when all angles turn together. *)
Definition jointly_invariant (g : list R -> list R -> R) :=
  forall a u u' t t', Forall2 (shifted a) u u' -> Forall2 (shifted a) t t' -> g u t = g u' t'.

Section SameDeck.
Variables (k : nat) (ps qs : list R).
Hypothesis deck : same_deck k ps qs.
Hypothesis enough : (k <= length ps)%nat.
Hypothesis same_length : length ps = length qs.

Lemma same_distinct_sums m (F : list R -> R) :
  (m <= k)%nat -> (forall a t u, Forall2 (shifted a) t u -> F t = F u) ->
  asum m (fun u _ => F u) ps = asum m (fun u _ => F u) qs.
Proof.
  intros L HF. destruct deck as (D & P & E).
  assert (S : lsum (asum m (fun u _ => F u)) (combinations k ps) =
              lsum (asum m (fun u _ => F u)) (combinations k qs)).
  { rewrite <- (lsum_permutation _ _ _ P). apply (lsum_related _ _ _ _ _ E).
    intros t u (a & v & Pv & Ev). rewrite <- (asum_permutation m F v u Pv).
    apply (asum_related _ _ _ _ _ _ Ev), HF. }
  replace k with (m + (k - m))%nat in S by lia. rewrite !asum_over_combinations, <- same_length in S.
  apply Rmult_eq_reg_l in S; trivial.
  apply not_0_INR. pose proof (binomial_pos (length ps - m) (k - m)). lia.
Qed.

Lemma same_mixed_sums m j g :
  (j + m <= k)%nat -> jointly_invariant g ->
  asum j (fun u _ => tsum m (g u) ps) ps = asum j (fun u _ => tsum m (g u) qs) qs.
Proof.
  revert j g; induction m; intros j g L Hg.
  - simpl. apply (same_distinct_sums j (fun u => g u [])); [lia|].
    intros a t u E. apply (Hg a); trivial.
  - cbn [tsum].
    rewrite (asum_used_or_new j (fun u x => tsum m (fun t => g u (x :: t)) ps) 0 ps),
            (asum_used_or_new j (fun u x => tsum m (fun t => g u (x :: t)) qs) 0 qs).
    f_equal.
    + assert (E : forall l, asum j (fun u _ => lsum (fun x => tsum m (fun t => g u (x :: t)) l) u) l =
                            asum j (fun u _ => tsum m (fun t => lsum (fun x => g u (x :: t)) u) l) l).
      { intro l. apply asum_ext; intros u r _ _. rewrite tsum_lsum.
        rewrite (lsum_exchange (fun t x => g u (x :: t))).
        apply lsum_ext; intros x _. apply tsum_lsum. }
      rewrite !E. apply (IHm j (fun u t => lsum (fun x => g u (x :: t)) u)); [lia|].
      intros a u u' t t' Eu Et. apply (lsum_related _ _ _ _ _ Eu). intros x y Hxy.
      apply (Hg a); trivial. constructor; trivial.
    + set (h := fun u t => match u with [] => 0 | _ => g (removelast u) (last u 0 :: t) end).
      assert (E : forall l, asum (S j) (fun u _ => tsum m (fun t => g (removelast u) (last u 0 :: t)) l) l =
                            asum (S j) (fun u _ => tsum m (h u) l) l).
      { intro l. apply asum_ext; intros u r Lu _. destruct u; [discriminate | reflexivity]. }
      rewrite !E. apply IHm; [lia|]. intros a u u' t t' Eu Et. unfold h.
      destruct Eu as [|x y u u' Hxy Eu]; trivial.
      destruct (last_related (shifted a) 0 0 x y u u' (Forall2_cons _ _ Hxy Eu)).
      apply (Hg a); trivial. constructor; trivial.
Qed.

Lemma same_tuple_sums m g : (m <= k)%nat -> shift_invariant g -> tsum m g ps = tsum m g qs.
Proof.
  intros L Hg. apply (same_mixed_sums m 0 (fun _ => g)); [lia|].
  intros a u u' t t' _ Et. apply (shift_invariant_shifted _ a); trivial.
Qed.
End SameDeck.

(** Theorem B, general form: if the k-subsets of the ring modulo rotation are those of its mirror image,
    every invariant of at most k + 1 neighbours has the same sum over A+ and A-. *)
Theorem theorem_B_general {label : Type} (ring_label : label) r z psi angles heights k n f :
  (k <= length angles)%nat -> same_deck k angles (map Ropp angles) ->
  (n <= S k)%nat -> invariant f ->
  tsum n f (two_rings ring_label r z psi angles heights) =
  tsum n f (two_rings ring_label r z psi angles (map negate heights)).
Proof.
  intros Lk D Ln H. apply (lifting_up_to _ _ _ _ _ _ k); trivial.
  intros m Lm g Hg. rewrite <- tsum_map. symmetry.
  apply (same_tuple_sums k angles (map Ropp angles)); trivial. rewrite map_length; trivial.
Qed.

Print Assumptions theorem_B_general.
